#include <pyro/cli/commands.hpp>
#include <pyro/cli/flag_values.hpp>
#include <pyro/cli/json_lines.hpp>
#include <pyro/cli/render_parts.hpp>
#include <pyro/cli/session.hpp>
#include <pyro/operations/text.hpp>

namespace pyro::cli {

namespace logs_command {

namespace {

constexpr std::string_view k_page = R"(
Prints the last lines that services wrote; with -f also what follows, until Ctrl-C. Without SERVICE the lines of all
services are mixed, each behind the name of its service.

Examples:
  pyro logs
  pyro logs -f api
  pyro logs --tail 1000 db | grep ERROR
  pyro -f other.yaml logs     (behind `logs`, -f is --follow)
  pyro logs --cursor CURSOR   what an answer with a cursor left out: older lines, or a command's further output
)";

constexpr std::array k_options{
    Option{"--follow", "-f", "", "Go on with what is written from now on"},
    Option{"--tail", "-n", "LINES", "How many of each service; default: 200"},
    Option{"--cursor", "", "CURSOR", "Of an answer that was cut (--json): what is left out there"},
};

constexpr std::array k_operands{Operand{"SERVICE", Count::optional, "Only this one"}};

std::string render_page(const Json& page, bool has_one_service) {
  if (const auto text = maybe_string(page, "text")) {
    return operations::escape_lines(*text);
  }
  std::string lines;
  for (const auto& line : list_at(page, "lines")) {
    lines += has_one_service ? "" : operations::escape_controls(get_string(line, "service")) + " | ";
    lines += operations::escape_controls(get_string(line, "line")) + "\n";
  }
  return lines;
}

int run_page(Session& session, const operations::LogRequest& request) {
  auto parameters = session.where();
  parameters["tail"] = request.tail;
  parameters["follow"] = request.follow;
  if (!request.service.empty()) {
    parameters["service"] = request.service;
  }
  if (const auto cursor = session.arguments().value("cursor"); !cursor.empty()) {
    parameters["cursor"] = cursor;
  }
  const auto page = session.call("logs", parameters);
  session.show(page, [&](const Json& document) { return render_page(document, !request.service.empty()); });
  const auto next = maybe_string(page, "next_cursor");
  if (next && session.format() == Format::text) {
    session.note(fmt::format("there is more: --cursor {}", *next));
  }
  return 0;
}

int run(Session& session) {
  const auto& arguments = session.arguments();
  operations::LogRequest request;
  request.service = arguments.operands.empty() ? "" : arguments.operands.front();
  request.tail = tail_from<int>(arguments.value("tail", "200"), "lines");
  request.follow = arguments.has("follow");
  if (arguments.has("cursor") || (session.format() == Format::json && !request.follow)) {
    return run_page(session, request);
  }
  const bool json = session.format() == Format::json || session.format() == Format::jsonl;
  const auto style = session.out_style();
  session.engine().stream_logs(
      session.where(), request, [&](const std::string& service, const std::string& line) {
        if (json) {
          session.console().out(
              json_line("log", {{"service", service}, {"line", operations::to_utf8(line)}}));
        } else if (request.service.empty()) {
          session.show_line(
              fmt::format("{} {}", style.dim(service + " |"), operations::escape_controls(line)));
        } else {
          session.show_line(operations::escape_controls(line));
        }
      });
  return 0;
}

} // namespace

} // namespace logs_command

constinit const Command k_logs{
    .name = "logs",
    .summary = "Print what services wrote",
    .page = logs_command::k_page,
    .run = logs_command::run,
    .options = logs_command::k_options,
    .operands = logs_command::k_operands,
};

} // namespace pyro::cli
