#include <pyro/base/error.hpp>
#include <pyro/base/units.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/render.hpp>
#include <pyro/cli/render_resources.hpp>
#include <pyro/cli/session.hpp>

#include <fmt/format.h>

namespace pyro::cli {

namespace top_command {

namespace {

constexpr std::string_view k_page = R"(
Shows what the workspaces that run (or those named) and their services take, until Ctrl-C: processors in percent of one
within the interval, memory now and at most, processes with their threads, disk, and who was killed for want of memory.
On a terminal it is drawn anew each time, elsewhere written again. With --json one line of JSON each time; with --once
one document.

Where a control group counts, the kernel's figures are shown. Where this user has none, they are sums over the processes
(marked ~; what processes share is in each one's sum), and there is no peak: what nobody counts is "-", null in JSON. Of
a virtual machine the figures are those of the inside; what it takes of this machine stands below.

Examples:
  pyro top
  pyro top shop --interval 5s
  pyro top --once
  pyro top --once --json | jq '.workspaces[] | {name, memory: .memory.bytes}'
)";

constexpr std::array k_options{
    Option{"--once", "", "", "Once, over one interval"},
    Option{"--interval", "", "DURATION", "Time between two looks; default: 1s"},
};

constexpr std::array k_operands{Operand{"WORKSPACE", Count::many, "Names or ids; default: all that run"}};

constexpr std::string_view k_home_and_clear = "\x1b[H\x1b[J";

/// What has room on the terminal: its last line stays free for the cursor.
std::string fitting(const std::string& text, const Console& console) {
  const auto columns = static_cast<std::size_t>(std::max(20, console.columns ? console.columns() : 80));
  const auto rows = static_cast<std::size_t>(std::max(4, console.rows ? console.rows() : 24)) - 1;
  const auto lines = lines_of(text);
  std::string fit;
  for (std::size_t index = 0; index < std::min(lines.size(), rows); ++index) {
    const bool is_last = index + 1 == rows && lines.size() > rows;
    fit += is_last ? fmt::format("… and {} lines more\n", lines.size() - index)
                   : fitted(lines[index], columns) + "\n";
  }
  return fit;
}

bool is_drawn(Session& session) {
  return session.console().out_terminal && session.format() == Format::text;
}

void show_frame(Session& session, const Json& usage) {
  auto& console = session.console();
  const auto text = [&](const Json& result) {
    return render_resource_usage(result, session.out_style(), epoch_now());
  };
  if (session.format() == Format::json || session.format() == Format::jsonl) {
    session.show_json_line(usage);
  } else if (is_drawn(session)) {
    console.out(std::string(k_home_and_clear) + fitting(text(usage), console));
  } else {
    session.show(usage, [&](const Json& result) { return text(result) + "\n"; });
  }
}

int run(Session& session) {
  const auto& arguments = session.arguments();
  Json parameters = Json::object();
  if (!arguments.operands.empty()) {
    parameters["workspaces"] = arguments.operands;
  }
  const Json measured = [&] {
    auto all = parameters;
    all["interval"] = arguments.value("interval", "1s");
    return all;
  }();
  if (arguments.has("once")) {
    session.show(session.call("resource_usage", measured), [&](const Json& usage) {
      return render_resource_usage(usage, session.out_style(), epoch_now());
    });
    return 0;
  }
  try {
    if (is_drawn(session)) {
      show_frame(session, session.call("resource_usage", parameters)); // at once, without rates
    }
    for (;;) {
      show_frame(session, session.call("resource_usage", measured));
    }
  } catch (const Error& error) {
    if (error.code() != ErrorCode::interrupted) {
      throw;
    }
  }
  return 0; // that is how it ends
}

} // namespace

} // namespace top_command

constinit const Command k_top{
    .name = "top",
    .summary = "Show what workspaces and services take",
    .page = top_command::k_page,
    .run = top_command::run,
    .options = top_command::k_options,
    .operands = top_command::k_operands,
    .takes = Takes::document,
};

} // namespace pyro::cli
