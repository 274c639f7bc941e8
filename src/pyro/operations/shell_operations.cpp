#include "groups.hpp"
#include "schema_parts.hpp"
#include "text.hpp"

#include <pyro/base/error.hpp>
#include <pyro/workspace/terminals.hpp>

namespace pyro::operations {

namespace {

constexpr std::int64_t k_default_chars = 65536;

Properties shell_properties() {
  return {
      {"workspace_id", text("Of the workspace")},
      {"shell_id", text("Of the shell")},
      {"state", choice({"running", "exited"}, "")},
      {"cwd", text("Where it was opened")},
      {"cols", number("Columns of the terminal")},
      {"rows", number("Lines of the terminal")},
      {"pid", or_null(number("Inside the sandbox"))},
      {"started_at", epoch("")},
      {"exit_code", or_null(number("128+N for signal N"))},
      {"next_cursor", number("Behind its newest output")},
      {"execution_mode", text("How it was isolated: sandbox, guest_vsock, guest_serial, host_compat")}};
}

Json shell_document(Properties more = {}) {
  auto properties = shell_properties();
  properties.merge(more);
  return result(properties, {"workspace_id", "shell_id", "state"});
}

/// Parameters of an operation on one shell.
Json shell_parameters(Properties more, std::vector<std::string> required = {}) {
  more["shell_id"] = text("Of the shell");
  required.emplace_back("shell_id");
  return id_parameters(std::move(more), std::move(required));
}

int side_of(const Json& given, std::string_view key, int otherwise) {
  const auto side = int_or(given, key, otherwise);
  if (side < 1 || side > 1000) {
    throw Error(ErrorCode::invalid_argument, "{} must be between 1 and 1000", key);
  }
  return static_cast<int>(side);
}

Json open(Context& context, const Json& given) {
  workspace::ShellRequest request;
  request.cwd = string_or(given, "cwd", "");
  request.env = string_map_or_empty(given, "env");
  request.secret_env = string_map_or_empty(given, "secret_env");
  request.columns = side_of(given, "cols", request.columns);
  request.rows = side_of(given, "rows", request.rows);
  return workspace::open_workspace_shell(context.workspaces, id_of(given), request);
}

Json read(Context& context, const Json& given) {
  workspace::ShellReadRequest request;
  request.shell_id = get_string(given, "shell_id");
  request.cursor = int_or(given, "cursor", 0);
  request.max_chars = int_or(given, "max_chars", k_default_chars);
  request.plain = bool_or(given, "plain", false);
  request.wait_for_idle = std::chrono::milliseconds(int_or(given, "wait_for_idle_ms", 0));
  auto answer = workspace::read_workspace_shell(context.workspaces, id_of(given), request);
  answer["output"] = to_utf8(get_string(answer, "output"));
  return answer;
}

Operation shell_open_operation() {
  return {
      .name = "shell_open",
      .summary = "Open a terminal that lives on in the workspace",
      .parameters_schema = id_parameters(
          {{"cwd", text("Default: the workspace's workdir")},
           {"env", map_of_text("On top of the workspace's")},
           {"secret_env", map_of_text("Secret → variable; an empty variable is named like the secret")},
           {"cols", number("Default 120")},
           {"rows", number("Default 30")}}),
      .result_schema = shell_document(),
      .run = open};
}

Operation shell_list_operation() {
  return {
      .name = "shell_list",
      .summary = "The shells of a workspace",
      .parameters_schema = id_parameters({}),
      .result_schema = result(
          {{"workspace_id", text("Of the workspace")},
           {"count", number("How many there are")},
           {"shells", list_of(shell_document(), "")}},
          {"count", "shells"}),
      .read_only = true,
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return workspace::list_workspace_shells(context.workspaces, id_of(given));
      }};
}

Operation shell_read_operation() {
  return {
      .name = "shell_read",
      .summary = "What a shell has written from a position on; reading does not consume",
      .parameters_schema = shell_parameters(
          {{"cursor", number("Where to begin; 0 is its opening, then next_cursor of the last read")},
           {"max_chars", number("Default 65536")},
           {"plain", flag("Without control sequences")},
           {"wait_for_idle_ms", number("Answer when nothing was written for so long; at most 60000")}}),
      .result_schema = result(
          {{"workspace_id", text("Of the workspace")},
           {"shell_id", text("Of the shell")},
           {"state", choice({"running", "exited"}, "")},
           {"output", text("What was written since the cursor")},
           {"cursor", number("As it was asked for")},
           {"next_cursor", number("Where the next read begins")},
           {"truncated", flag("There is more to read already")},
           {"dropped_bytes", number("Of what was asked for, too old to be kept")},
           {"plain", flag("Were control sequences taken out?")}},
          {"shell_id", "output", "cursor", "next_cursor", "truncated"}),
      .read_only = true,
      .idempotent = true,
      .run = read};
}

Operation shell_write_operation() {
  return {
      .name = "shell_write",
      .summary = "Type into a shell",
      .parameters_schema = shell_parameters(
          {{"input", text("What to write to it")}, {"append_newline", flag("Default true")}}, {"input"}),
      .result_schema = result(
          {{"workspace_id", text("Of the workspace")},
           {"shell_id", text("Of the shell")},
           {"state", text("running or exited")},
           {"input_length", number("Bytes, with the newline")},
           {"append_newline", flag("Was a newline added?")}},
          {"shell_id", "input_length"}),
      .destructive = true,
      .run = [](Context& context, const Json& given) {
        return workspace::write_to_workspace_shell(
            context.workspaces, id_of(given), get_string(given, "shell_id"), get_string(given, "input"),
            bool_or(given, "append_newline", true));
      }};
}

Operation shell_signal_operation() {
  return {
      .name = "shell_signal",
      .summary = "Send a signal to a shell and to what runs in its foreground",
      .parameters_schema = shell_parameters({{"signal", text("HUP, INT, TERM or KILL; default INT")}}),
      .result_schema = shell_document({{"signal", text("Which was sent")}}),
      .destructive = true,
      .run = [](Context& context, const Json& given) {
        return workspace::signal_workspace_shell(
            context.workspaces, id_of(given), get_string(given, "shell_id"),
            string_or(given, "signal", "INT"));
      }};
}

Operation shell_resize_operation() {
  return {
      .name = "shell_resize",
      .summary = "Change the size of a shell's terminal",
      .parameters_schema = shell_parameters(
          {{"cols", number("Columns of the terminal")}, {"rows", number("Lines of the terminal")}},
          {"cols", "rows"}),
      .result_schema = shell_document(),
      .idempotent = true,
      .run = [](Context& context, const Json& given) {
        return workspace::resize_workspace_shell(
            context.workspaces, id_of(given), get_string(given, "shell_id"), side_of(given, "cols", 0),
            side_of(given, "rows", 0));
      }};
}

Operation shell_close_operation() {
  return {
      .name = "shell_close",
      .summary = "End a shell and all that was started in it",
      .parameters_schema = shell_parameters({}),
      .result_schema = shell_document({{"closed", flag("Was it there to be closed?")}}),
      .destructive = true,
      .run = [](Context& context, const Json& given) {
        return workspace::close_workspace_shell(
            context.workspaces, id_of(given), get_string(given, "shell_id"));
      }};
}

} // namespace

std::vector<Operation> shell_operations() {
  return {shell_open_operation(),   shell_list_operation(),   shell_read_operation(), shell_write_operation(),
          shell_signal_operation(), shell_resize_operation(), shell_close_operation()};
}

} // namespace pyro::operations
