#include "captured_exec.hpp"
#include "groups.hpp"
#include "output_events.hpp"
#include "schema_parts.hpp"
#include "text.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/interruption.hpp>
#include <pyro/workspace/execution.hpp>
#include <pyro/workspace/inspection.hpp>
#include <pyro/workspace/log_pages.hpp>

#include <deque>

namespace pyro::operations {

namespace {

constexpr std::size_t k_max_log_lines = 100'000;

Json run_exec(Context& context, const Json& given) {
  workspace::ExecRequest request;
  request.argv = get_strings(given, "argv");
  request.cwd = string_or(given, "cwd", "");
  request.env = string_map_or_empty(given, "env");
  request.user = string_or(given, "user", "");
  request.timeout = duration_of(given, "timeout");
  request.in_failed_step = bool_or(given, "failed", false);
  request.start_if_stopped = true;
  if (request.argv.empty()) {
    throw Error(ErrorCode::invalid_argument, "exec: 'argv' is empty");
  }
  return run_captured(context, given, request, [&](const auto& complete, const auto& streams) {
    return workspace::exec_in_workspace(
        context.workspaces, workspace_of(given), project_of(given), complete, streams);
  });
}

Json follow_logs(Context& context, const Json& given) {
  std::deque<Json> lines;
  const auto tail = static_cast<int>(std::min<std::int64_t>(int_or(given, "tail", 200), k_max_log_lines));
  workspace::stream_service_logs(
      context.workspaces, workspace_of(given), project_of(given), string_or(given, "service", ""), tail, true,
      [&](const std::string& service, const std::string& line) {
        if (context.output) {
          context.output(output_event("log", "services." + service, line));
        }
        lines.push_back({{"service", service}, {"line", to_utf8(line)}});
        if (lines.size() > k_max_log_lines) {
          lines.pop_front();
        }
      },
      [&] { return context.interrupted && context.interrupted(); });
  check_interruption();
  return {{"lines", Json(lines)}, {"truncated", false}, {"next_cursor", nullptr}};
}

/// What services wrote towards the beginning, or what a command wrote towards the end.
Json run_logs(Context& context, const Json& given) {
  workspace::LogPageRequest request;
  request.service = string_or(given, "service", "");
  request.tail = int_or(given, "tail", request.tail);
  request.cursor = string_or(given, "cursor", "");
  if (bool_or(given, "follow", false)) {
    if (!request.cursor.empty()) {
      throw Error(ErrorCode::invalid_argument, "logs: 'follow' and 'cursor' go in two directions");
    }
    return follow_logs(context, given);
  }
  if (request.cursor.empty() || workspace::is_log_cursor(request.cursor)) {
    return workspace::read_log_page(context.workspaces, workspace_of(given), project_of(given), request);
  }
  auto page = workspace::read_on(context.workspaces, request.cursor);
  page["lines"] = Json::array();
  page["truncated"] = !page["next_cursor"].is_null();
  return page;
}

Operation exec_operation() {
  return {
      .name = "exec",
      .summary = "Run a command in the workspace (started if need be); returns its output",
      .parameters_schema = workspace_parameters(
          {{"argv", list_of(text(""), "The command and its arguments; no shell")},
           {"cwd", text("Default: the workspace's workdir")},
           {"env", map_of_text("On top of the workspace's")},
           {"user", text("Default: the workspace's")},
           {"failed", flag("In what the last failed step left")},
           {"stdin", text("What it reads; default: nothing")},
           {"timeout", text("E.g. 30s; then it is killed and exit_code is 124")},
           {"max_output_bytes", number("Of each stream, beginning and end are kept; default 1 MiB")}},
          {"argv"}),
      .result_schema = result(exec_result_properties(), {"exit_code", "stdout", "stderr"}),
      .destructive = true,
      .run = run_exec};
}

Operation logs_operation() {
  return {
      .name = "logs",
      .summary = "The last lines that services wrote",
      .parameters_schema = workspace_parameters(
          {{"service", text("Default: all")},
           {"tail", number("How many lines of each; default 200")},
           {"cursor", text("Of an answer that was cut (exec, logs): what is left out there")},
           {"follow",
            flag("Go on as lines are written, until the workspace stops or the call is cancelled")}}),
      .result_schema = result(
          {{"lines", list_of(
                         result(
                             {{"service", text("Which one")}, {"line", text("As it was written")}},
                             {"service", "line"}),
                         "")},
           {"text", text("With the cursor of a command: what it wrote from there on")},
           {"truncated", flag("There is more than these")},
           {"next_cursor", or_null(text("For the next call: older lines, or what follows text; null: no more "
                                        "is kept"))}},
          {"lines"}),
      .read_only = true,
      .idempotent = true,
      .run = run_logs};
}

Operation diff_operation() {
  const auto entry = result(
      {{"path", text("Where it is")},
       {"status", text("added, modified, deleted, …")},
       {"artifact_type", text("file, directory, symlink, …")},
       {"cause", choice(k_causes, "Who changed it, as far as it can be told")},
       {"origin",
        or_null(text("Of the layer it was in: environment, seed, prepare.build; null of a new one"))},
       {"lines_added", or_null(number("With patches, of text"))},
       {"lines_deleted", or_null(number("With patches, of text"))},
       {"text_patch", or_null(text("Unified diff, where both sides are text"))}},
      {"path", "status"});
  return {
      .name = "diff",
      .summary = "Files that differ from what the workspace was made from",
      .parameters_schema = workspace_parameters(
          {{"paths", list_of(text(""), "Git's pathspecs")}, {"patches", flag("With the changed lines")}}),
      .result_schema = result(
          {{"changed", flag("Is anything different?")},
           {"summary", result({})},
           {"entries", list_of(entry, "")},
           {"causes", causes_schema()},
           {"patch", or_null(text("For `git apply` in the checkout"))},
           {"patch_left_out", list_of(text(""), "Outside of the seed's directory: in `entries` alone")}},
          {"changed", "entries"}),
      .read_only = true,
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return workspace::diff_from_base(
            context.workspaces, workspace_of(given), project_of(given), strings_or_empty(given, "paths"),
            bool_or(given, "patches", false));
      }};
}

} // namespace

std::vector<Operation> use_operations() {
  return {exec_operation(), logs_operation(), diff_operation()};
}

} // namespace pyro::operations
