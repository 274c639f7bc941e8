// Commands in a workspace made by hand, and their log.
#include "captured_exec.hpp"
#include "groups.hpp"
#include "machine_parameters.hpp"

#include <pyro/base/error.hpp>
#include <pyro/workspace/execution.hpp>

namespace pyro::operations {

namespace {

constexpr std::int64_t k_timeout_seconds = 30;
constexpr std::int64_t k_entries = 200;

/// A text goes to a shell, a list is run as it is.
workspace::ExecRequest command_of(const Json& given) {
  workspace::ExecRequest request;
  const auto& command = value_at(given, "command");
  if (command.is_string()) {
    request.script = command.get<std::string>();
    request.argv = {"/bin/sh", "-c", request.script};
  } else {
    request.argv = get_strings(given, "command");
  }
  if (request.argv.empty() || (command.is_string() && request.script.empty())) {
    throw Error(ErrorCode::invalid_argument, "command must not be empty");
  }
  read_command_options(given, request);
  request.secret_env = string_map_or_empty(given, "secret_env");
  return request;
}

Json run_logged_exec(Context& context, const Json& given) {
  auto answer =
      run_captured(context, given, command_of(given), [&](const auto& request, const auto& streams) {
        return workspace::exec_in_workspace(context.workspaces, id_of(given), {}, request, streams);
      });
  answer["stderr"] = get_string(answer, "stderr") + string_or(answer, "note", "");
  return answer;
}

Operation workspace_exec_operation() {
  auto command = list_of(text(""), "A text for /bin/sh -c, or a list: the program and its arguments");
  command["type"] = {"string", "array"};
  return {
      .name = "workspace_exec",
      .summary = "Run a command in a workspace and return its output",
      .parameters_schema = id_parameters(
          {{"command", std::move(command)},
           {"cwd", text("Default: /workspace")},
           {"env", map_of_text("On top of the workspace's")},
           {"secret_env", map_of_text("Secrets as variables: {SECRET: VARIABLE}")},
           {"user", text("Default: the workspace's")},
           {"stdin", text("What it reads; default: nothing")},
           {"timeout_seconds", number("Default 30; then all of it is killed and exit_code is 124")},
           {"max_output_bytes", number("Of each stream, beginning and end are kept; default 1 MiB")}},
          {"command"}),
      .result_schema = result(exec_result_properties(), {"exit_code", "stdout", "stderr", "execution_mode"}),
      .destructive = true,
      .run = run_logged_exec};
}

Operation workspace_logs_operation() {
  const auto entry = result(
      {{"sequence", number("From 1")},
       {"command", text("As it was given")},
       {"cwd", text("Where it ran")},
       {"exit_code", number("Of the command; 124 where it took too long")},
       {"stdout", text("Bounded; see stdout_truncated")},
       {"stderr", text("What it wrote to standard error")},
       {"stdout_truncated", flag("Is some of stdout left out?")},
       {"stderr_truncated", flag("Is some of stderr left out?")},
       {"stdout_cursor", or_null(text("For logs: what is left out of stdout; null: it is not kept"))},
       {"stderr_cursor", or_null(text("The same of stderr"))},
       {"duration_ms", number("How long it took")},
       {"execution_mode", text("How it was isolated: sandbox, guest_vsock, guest_serial, host_compat")},
       {"started_at", epoch("")}},
      {"sequence", "command", "cwd", "exit_code", "stdout", "stderr", "duration_ms", "execution_mode",
       "started_at"});
  return {
      .name = "workspace_logs",
      .summary = "The commands that were run in a workspace, with their output",
      .parameters_schema = id_parameters(
          {{"limit", number("The last so many entries; default 200")},
           {"cursor", number("Only entries before those of the answer that had it as next_cursor")}}),
      .result_schema = result(
          {{"workspace_id", text("Of the workspace")},
           {"count", number("Of all commands; the last 1000 are kept")},
           {"entries", list_of(entry, "Oldest first")},
           {"next_cursor", or_null(number("For the entries before these; null: there are none"))}},
          {"workspace_id", "count", "entries"}),
      .read_only = true,
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return workspace::read_command_log(
            context.workspaces, id_of(given), int_or(given, "limit", k_entries), int_or(given, "cursor", 0));
      }};
}

} // namespace

std::vector<Operation> command_operations() {
  return {workspace_exec_operation(), workspace_logs_operation()};
}

} // namespace pyro::operations
