#include <pyro/base/units.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/render_parts.hpp>
#include <pyro/cli/session.hpp>

#include <fmt/format.h>

namespace pyro::cli {

namespace timing_command {

namespace {

constexpr std::string_view k_page = R"(
Shows how long each action of the last apply took that did something, as bars from its beginning on. Those marked with *
are the critical path: had one of them been quicker, the apply would have been over sooner.

Examples:
  pyro timing
  pyro timing --json | jq '.actions[] | select(.critical)'
)";

constexpr std::int64_t k_width = 40; // of the bars

std::string bar_of(const Json& action, std::int64_t total, Style style) {
  const auto scaled = [&](std::int64_t time) {
    return static_cast<std::size_t>(total == 0 ? 0 : std::min(k_width, time * k_width / total));
  };
  const auto start = scaled(int_or(action, "start_ms", 0));
  const auto end = scaled(int_or(action, "start_ms", 0) + int_or(action, "duration_ms", 0));
  std::string bar;
  for (std::size_t i = start; i < std::max(end, start + 1); ++i) {
    bar += "█";
  }
  return std::string(start, ' ') + (bool_or(action, "critical", false) ? style.yellow(bar) : style.dim(bar));
}

std::string elapsed(std::int64_t time) {
  return format_elapsed(std::chrono::milliseconds(time));
}

std::string render(const Json& timing, Style style) {
  const auto total = int_or(timing, "total_ms", 0);
  Table table;
  for (const auto& action : list_at(timing, "actions")) {
    table.add(
        {bool_or(action, "critical", false) ? "*" : " ", text_at(action, "address"),
         text_at(action, "action"),
         elapsed(int_or(action, "duration_ms", 0)) + (bool_or(action, "is_done", true) ? "" : " (not done)"),
         bar_of(action, total, style)});
  }
  const auto failure = text_at(timing, "failure");
  return table.text()
         + fmt::format(
             "{} in all, of which {} on the critical path (*).{}\n", elapsed(total),
             elapsed(int_or(timing, "critical_ms", 0)), failure.empty() ? "" : " It failed: " + failure);
}

int run(Session& session) {
  session.show(session.call("timing", session.where()), [&](const Json& timing) {
    return render(timing, session.out_style());
  });
  return 0;
}

} // namespace

} // namespace timing_command

constinit const Command k_timing{
    .name = "timing",
    .summary = "Show what the last apply spent its time on",
    .page = timing_command::k_page,
    .run = timing_command::run,
};

} // namespace pyro::cli
