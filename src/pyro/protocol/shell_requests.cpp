#include "shell_requests.hpp"

#include "kernel_limits.hpp"

#include <pyro/base/error.hpp>

#include <algorithm>

namespace pyro::protocol {

namespace {

constexpr std::int64_t k_max_wait = 600'000;
constexpr std::size_t k_max_shells = 1000;

std::int64_t bounded(const Json& value, std::string_view key, std::int64_t otherwise, std::int64_t most) {
  const auto number = int_or(value, key, otherwise);
  if (number < 0 || number > most) {
    throw Error(ErrorCode::invalid_argument, "'{}' must be 0 to {}, not {}", key, most, number);
  }
  return number;
}

std::uint64_t position(const Json& value, std::string_view key) {
  const auto number = get_int(value, key);
  if (number < 0) {
    throw Error(ErrorCode::invalid_argument, "'{}' must not be negative", key);
  }
  return static_cast<std::uint64_t>(number);
}

std::string shell_id(const Json& value) {
  auto id = get_string(value, "shell_id");
  check_name(id, "the shell");
  return id;
}

Json size_json(const TerminalSize& size) {
  return {{"cols", size.cols}, {"rows", size.rows}};
}

} // namespace

Json to_json(const ShellOpen& value) {
  check_kernel_limits(value.argv, value.env);
  return {{"shell_id", value.shell_id}, {"argv", value.argv}, {"cwd", value.cwd},
          {"env", value.env},           {"user", value.user}, {"pty", size_json(value.size)}};
}

ShellOpen shell_open_from_json(const Json& value) {
  auto how = exec_request_from_json(value); // argv, cwd, env, user and pty with the same rules
  ShellOpen result;
  result.shell_id = shell_id(value);
  result.argv = std::move(how.argv);
  result.cwd = std::move(how.cwd);
  result.env = std::move(how.env);
  result.user = std::move(how.user);
  result.size = how.pty.value_or(result.size);
  return result;
}

Json to_json(const ShellStatus& value) {
  return {
      {"shell_id", value.shell_id},
      {"running", value.running},
      {"pid", value.pid},
      {"cwd", value.cwd},
      {"size", size_json(value.size)},
      {"opened_at", value.opened_at},
      {"exit_code", value.exit_code ? Json(*value.exit_code) : Json()},
      {"first", value.first},
      {"end", value.end}};
}

ShellStatus shell_status_from_json(const Json& value) {
  ShellStatus result;
  result.shell_id = shell_id(value);
  result.running = get_bool(value, "running");
  result.pid = get_int(value, "pid");
  result.cwd = get_string(value, "cwd");
  result.size = terminal_size_from_json(value_at(value, "size"));
  result.opened_at = get_double(value, "opened_at");
  if (const auto code = maybe_int(value, "exit_code")) {
    result.exit_code = static_cast<int>(std::clamp<std::int64_t>(*code, 0, 255));
  }
  result.first = position(value, "first");
  result.end = position(value, "end");
  return result;
}

std::vector<ShellStatus> shell_list_from_json(const Json& value) {
  const auto& shells = value_at(value, "shells");
  if (!shells.is_array() || shells.size() > k_max_shells) {
    throw Error(ErrorCode::protocol, "'shells' must be a list of at most {}", k_max_shells);
  }
  std::vector<ShellStatus> list;
  for (const auto& shell : shells) {
    list.push_back(shell_status_from_json(shell));
  }
  return list;
}

Json to_json(const ShellRead& value) {
  return {
      {"shell_id", value.shell_id},
      {"cursor", value.cursor},
      {"max_bytes", value.max_bytes},
      {"idle_ms", value.idle_ms},
      {"limit_ms", value.limit_ms}};
}

ShellRead shell_read_from_json(const Json& value) {
  ShellRead result;
  result.shell_id = shell_id(value);
  result.cursor = position(value, "cursor");
  result.max_bytes = bounded(value, "max_bytes", result.max_bytes, static_cast<std::int64_t>(k_shell_output));
  result.idle_ms = bounded(value, "idle_ms", 0, k_max_wait);
  result.limit_ms = bounded(value, "limit_ms", result.limit_ms, k_max_wait);
  return result;
}

Json to_json(const ShellReadResult& value) {
  return {{"first", value.first}, {"start", value.start}, {"end", value.end}, {"running", value.running}};
}

ShellReadResult shell_read_result_from_json(const Json& value) {
  return {
      position(value, "first"), position(value, "start"), position(value, "end"), get_bool(value, "running")};
}

static void check_input(std::string_view data) {
  if (data.size() > k_shell_input) {
    throw Error(
        ErrorCode::invalid_argument, "the input has {} bytes, too many for one write (limit {})", data.size(),
        k_shell_input);
  }
}

Json to_json(const ShellWrite& value) {
  check_input(value.data);
  return {{"shell_id", value.shell_id}, {"data", base64_encode(value.data)}};
}

ShellWrite shell_write_from_json(const Json& value) {
  ShellWrite result{shell_id(value), base64_decode(get_string(value, "data"))};
  check_input(result.data);
  return result;
}

Json to_json(const ShellAttach& value) {
  return {
      {"shell_id", value.shell_id},
      {"replay", value.replay},
      {"size", value.size ? size_json(*value.size) : Json()}};
}

ShellAttach shell_attach_from_json(const Json& value) {
  ShellAttach result;
  result.shell_id = shell_id(value);
  result.replay = bounded(value, "replay", result.replay, static_cast<std::int64_t>(k_shell_output));
  if (const auto size = value.find("size"); size != value.end() && !size->is_null()) {
    result.size = terminal_size_from_json(*size);
  }
  return result;
}

} // namespace pyro::protocol
