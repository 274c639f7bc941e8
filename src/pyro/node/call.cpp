#include "call.hpp"

#include <pyro/base/error.hpp>

#include <algorithm>
#include <array>
#include <iterator>

namespace pyro::node {

namespace {

constexpr std::array<std::string_view, 7> k_kinds{"operation", "exec",    "shell",   "logs",
                                                  "targets",   "copy_in", "copy_out"};

int small(const Json& value, std::string_view key) {
  constexpr std::int64_t k_most = 1 << 30;
  return static_cast<int>(std::clamp<std::int64_t>(get_int(value, key), -k_most, k_most));
}

void read(const Json& value, std::string_view key, int& member) {
  member = small(value, key);
}

void read(const Json& value, std::string_view key, bool& member) {
  member = get_bool(value, key);
}

void read(const Json& value, std::string_view key, std::int64_t& member) {
  member = get_int(value, key);
}

void read(const Json& value, std::string_view key, std::string& member) {
  member = get_string(value, key);
}

void read(const Json& value, std::string_view key, Json& member) {
  member = value_at(value, key);
}

/// For both directions.
template <typename Result, typename Visit>
void for_each_member(Result& result, const Visit& visit) {
  visit("exit_code", result.exit_code);
  visit("timed_out", result.timed_out);
  visit("duration_ms", result.duration_ms);
  visit("oom_kills", result.oom_kills);
  visit("note", result.note);
  visit("stopped_by", result.stopped_by);
  visit("refused", result.refused.list);
  visit("refused_more", result.refused.more);
  visit("refusal_text", result.refusal_text);
  visit("execution_mode", result.execution_mode);
  visit("workspace_id", result.workspace_id);
  visit("sequence", result.sequence);
  visit("command", result.command);
  visit("cwd", result.cwd);
  visit("output_id", result.output_id);
}

} // namespace

Json to_json(const Call& call) {
  return {
      {"kind", k_kinds.at(static_cast<std::size_t>(call.kind))},
      {"operation", call.operation},
      {"parameters", call.parameters},
      {"request", call.request},
      {"lock_timeout_ms", call.lock_timeout.count()},
      {"color", call.color},
      {"all_of_plan", call.all_of_plan},
      {"stream_output", call.stream_output},
      {"can_ask", call.can_ask},
      {"shared_file", call.shared_file}};
}

Call call_from_json(const Json& value) {
  Call call;
  const auto kind = get_string(value, "kind");
  const auto found = std::find(k_kinds.begin(), k_kinds.end(), kind);
  if (found == k_kinds.end()) {
    throw Error(ErrorCode::protocol, "a call is of no known kind");
  }
  call.kind = static_cast<CallKind>(std::distance(k_kinds.begin(), found));
  call.operation = get_string(value, "operation");
  call.parameters = value_at(value, "parameters");
  call.request = value.value("request", Json());
  call.lock_timeout = std::chrono::milliseconds(get_int(value, "lock_timeout_ms"));
  call.color = get_bool(value, "color");
  call.all_of_plan = get_bool(value, "all_of_plan");
  call.stream_output = get_bool(value, "stream_output");
  call.can_ask = get_bool(value, "can_ask");
  call.shared_file = value.value("shared_file", Json());
  return call;
}

Json to_json(const operations::ExecRequest& request) {
  Json value{
      {"argv", request.argv},
      {"script", request.script},
      {"cwd", request.cwd},
      {"env", request.env},
      {"secret_env", request.secret_env},
      {"user", request.user},
      {"in_failed_step", request.in_failed_step},
      {"tty", request.tty},
      {"columns", request.columns},
      {"rows", request.rows},
      {"timeout_ms", request.timeout.count()},
      {"start_if_stopped", request.start_if_stopped}};
  if (request.shown_output) {
    value["shown_output"] = *request.shown_output;
  }
  return value;
}

operations::ExecRequest exec_request_from_json(const Json& value) {
  operations::ExecRequest request;
  request.argv = get_strings(value, "argv");
  request.script = get_string(value, "script");
  request.cwd = get_string(value, "cwd");
  request.env = string_map_or_empty(value, "env");
  request.secret_env = string_map_or_empty(value, "secret_env");
  request.user = get_string(value, "user");
  request.in_failed_step = get_bool(value, "in_failed_step");
  request.tty = get_bool(value, "tty");
  request.columns = small(value, "columns");
  request.rows = small(value, "rows");
  request.timeout = std::chrono::milliseconds(get_int(value, "timeout_ms"));
  request.start_if_stopped = get_bool(value, "start_if_stopped");
  if (const auto shown = maybe_int(value, "shown_output")) {
    request.shown_output = static_cast<std::size_t>(*shown);
  }
  return request;
}

Json to_json(const operations::ExecResult& result) {
  Json value;
  for_each_member(result, [&](const char* key, const auto& member) { value[key] = member; });
  return value;
}

operations::ExecResult exec_result_from_json(const Json& value) {
  operations::ExecResult result;
  for_each_member(result, [&](const char* key, auto& member) { read(value, key, member); });
  return result;
}

Json to_json(const operations::ShellAttachRequest& request) {
  return {
      {"shell_id", request.shell_id},
      {"columns", request.columns},
      {"rows", request.rows},
      {"env", request.env}};
}

operations::ShellAttachRequest shell_request_from_json(const Json& value) {
  operations::ShellAttachRequest request;
  request.shell_id = get_string(value, "shell_id");
  request.columns = small(value, "columns");
  request.rows = small(value, "rows");
  request.env = string_map_or_empty(value, "env");
  return request;
}

Json to_json(const operations::LogRequest& request) {
  return {{"service", request.service}, {"tail", request.tail}, {"follow", request.follow}};
}

operations::LogRequest log_request_from_json(const Json& value) {
  return {get_string(value, "service"), small(value, "tail"), get_bool(value, "follow")};
}

} // namespace pyro::node
