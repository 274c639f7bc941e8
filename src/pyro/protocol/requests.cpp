#include "requests.hpp"

#include "bounded.hpp"
#include "kernel_limits.hpp"

#include <pyro/base/error.hpp>

#include <algorithm>

namespace pyro::protocol {

namespace {

void check_text(std::string_view text, std::string_view key) {
  if (text.find('\0') != std::string_view::npos) {
    throw Error(ErrorCode::invalid_argument, "'{}' must not hold a NUL character", key);
  }
}

int terminal_side(const Json& value, std::string_view key) {
  auto number = get_int(value, key);
  if (number < 1 || number > 10000) {
    throw Error(ErrorCode::invalid_argument, "'{}' of a terminal must be 1 to 10000, not {}", key, number);
  }
  return static_cast<int>(number);
}

} // namespace

void check_name(std::string_view name, std::string_view what) {
  auto alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  bool fine = !name.empty() && name.size() <= 64 && alphanumeric(name.front())
              && std::all_of(name.begin(), name.end(), [&](char c) {
                   return alphanumeric(c) || c == '.' || c == '_' || c == '-';
                 });
  if (!fine) {
    throw Error(
        ErrorCode::invalid_argument,
        "{} '{}' must match [A-Za-z0-9][A-Za-z0-9._-]* with at most 64 characters", what, name.substr(0, 80));
  }
}

Json to_json(const Hello& value) {
  return {
      {"protocol_features", value.protocol_features},
      {"agent_version", value.agent_version},
      {"boot_epoch", value.boot_epoch},
      {"pid", value.pid}};
}

Hello hello_from_json(const Json& value) {
  Hello result;
  result.protocol_features = get_strings(value, "protocol_features");
  result.agent_version = get_string(value, "agent_version");
  result.boot_epoch = get_string(value, "boot_epoch");
  result.pid = get_int(value, "pid");
  return result;
}

TerminalSize terminal_size_from_json(const Json& value) {
  return {terminal_side(value, "cols"), terminal_side(value, "rows")};
}

Json to_json(const ExecRequest& value) {
  check_kernel_limits(value.argv, value.env);
  Json json{{"argv", value.argv}, {"cwd", value.cwd},           {"env", value.env},
            {"user", value.user}, {"stdin", value.wants_stdin}, {"timeout_ms", value.timeout_ms},
            {"pty", nullptr}};
  if (value.pty) {
    json["pty"] = {{"cols", value.pty->cols}, {"rows", value.pty->rows}};
  }
  return json;
}

ExecRequest exec_request_from_json(const Json& value) {
  ExecRequest result;
  result.argv = get_strings(value, "argv");
  if (result.argv.empty() || result.argv.front().empty()) {
    throw Error(ErrorCode::invalid_argument, "'argv' must name a program");
  }
  result.cwd = string_or(value, "cwd", "");
  result.env = string_map_or_empty(value, "env");
  result.user = string_or(value, "user", "");
  result.wants_stdin = bool_or(value, "stdin", false);
  result.timeout_ms = milliseconds(value, "timeout_ms", 0);
  if (auto pty = value.find("pty"); pty != value.end() && !pty->is_null()) {
    result.pty = terminal_size_from_json(*pty);
  }
  for (auto& argument : result.argv) {
    check_text(argument, "argv");
  }
  check_text(result.cwd, "cwd");
  for (auto& [key, text] : result.env) {
    check_text(key, "env");
    check_text(text, "env");
    if (key.empty() || key.find('=') != std::string::npos) {
      throw Error(ErrorCode::invalid_argument, "'env' has the invalid name '{}'", key);
    }
  }
  return result;
}

Json to_json(const SftpRequest& value) {
  return {{"cwd", value.cwd}, {"user", value.user}};
}

SftpRequest sftp_request_from_json(const Json& value) {
  SftpRequest result{string_or(value, "cwd", ""), string_or(value, "user", "")};
  check_text(result.cwd, "cwd");
  return result;
}

namespace {

std::string_view name_of(MemoryVictim victim) {
  switch (victim) {
  case MemoryVictim::none:
    break;
  case MemoryVictim::command:
    return "command";
  case MemoryVictim::process_of_it:
    return "process_of_it";
  case MemoryVictim::somebody:
    return "somebody";
  }
  return "";
}

/// An older agent does not say: what it notes was the command or a process of it.
MemoryVictim victim_of(std::string_view name) {
  for (const auto victim : {MemoryVictim::command, MemoryVictim::somebody}) {
    if (name == name_of(victim)) {
      return victim;
    }
  }
  return MemoryVictim::process_of_it;
}

} // namespace

Json to_json(const ExecResult& value) {
  return {{"exit_code", value.exit_code},     {"signal", value.signal},
          {"timed_out", value.timed_out},     {"duration_ms", value.duration_ms},
          {"stderr_note", value.stderr_note}, {"oom_kills", value.oom_kills},
          {"oom_note", value.oom_note},       {"oom_victim", name_of(value.oom_victim)},
          {"stopped_by", value.stopped_by}};
}

ExecResult exec_result_from_json(const Json& value) {
  ExecResult result;
  result.exit_code = static_cast<int>(std::clamp<std::int64_t>(get_int(value, "exit_code"), 0, 255));
  result.signal = static_cast<int>(std::clamp<std::int64_t>(get_int(value, "signal"), 0, 127));
  result.timed_out = get_bool(value, "timed_out");
  result.duration_ms = get_int(value, "duration_ms");
  result.stderr_note = string_or(value, "stderr_note", "");
  result.oom_kills = int_or(value, "oom_kills", 0);
  result.oom_note = string_or(value, "oom_note", "");
  result.oom_victim =
      result.oom_note.empty() ? MemoryVictim::none : victim_of(string_or(value, "oom_victim", ""));
  result.stopped_by = string_or(value, "stopped_by", "");
  return result;
}

Json to_json(const SecretPut& value) {
  return {
      {"name", value.name},
      {"value", base64_encode(value.value)},
      {"user", value.user},
      {"service", value.service}};
}

SecretPut secret_put_from_json(const Json& value) {
  SecretPut result;
  result.name = get_string(value, "name");
  check_name(result.name, "the secret");
  result.value = base64_decode(get_string(value, "value"));
  result.user = string_or(value, "user", "");
  result.service = string_or(value, "service", "");
  if (!result.service.empty()) {
    check_name(result.service, "the service");
  }
  return result;
}

Json to_json(const Authority& value) {
  return {{"certificate", value.certificate}};
}

Authority authority_from_json(const Json& value) {
  return {get_string(value, "certificate")};
}

Json to_json(const TcpConnect& value) {
  return {{"host", value.host}, {"port", value.port}};
}

TcpConnect tcp_connect_from_json(const Json& value) {
  TcpConnect result;
  result.host = string_or(value, "host", "127.0.0.1");
  auto port = get_int(value, "port");
  if (port < 1 || port > 65535) {
    throw Error(ErrorCode::invalid_argument, "'port' must be 1 to 65535, not {}", port);
  }
  result.port = static_cast<int>(port);
  return result;
}

Json to_json(const Identity& value) {
  return {{"hostname", value.hostname}, {"machine_id", value.machine_id}};
}

Identity identity_from_json(const Json& value) {
  Identity result{string_or(value, "hostname", ""), string_or(value, "machine_id", "")};
  if (!result.hostname.empty()) {
    check_name(result.hostname, "the host name");
  }
  bool hexadecimal = std::all_of(result.machine_id.begin(), result.machine_id.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
  if (!result.machine_id.empty() && (result.machine_id.size() != 32 || !hexadecimal)) {
    throw Error(ErrorCode::invalid_argument, "'machine_id' must be 32 lower-case hexadecimal digits");
  }
  return result;
}

Json to_json(const ClockSet& value) {
  return {{"epoch_ms", value.epoch_ms}};
}

ClockSet clock_set_from_json(const Json& value) {
  ClockSet result{get_int(value, "epoch_ms")};
  if (result.epoch_ms < 0) {
    throw Error(ErrorCode::invalid_argument, "'epoch_ms' must not be negative");
  }
  return result;
}

Json to_json(const Shutdown& value) {
  return {{"grace_ms", value.grace_ms}};
}

Shutdown shutdown_from_json(const Json& value) {
  return {milliseconds(value, "grace_ms", 5000)};
}

Json to_json(const ProcessesEnd& value) {
  return {{"code", value.code}, {"reason", value.reason}};
}

ProcessesEnd processes_end_from_json(const Json& value) {
  return {get_string(value, "code"), get_string(value, "reason")};
}

} // namespace pyro::protocol
