#include "service_requests.hpp"

#include "bounded.hpp"
#include "kernel_limits.hpp"
#include "requests.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/safe_text.hpp>

#include <array>
#include <functional>
#include <set>

namespace pyro::protocol {

namespace {

template <typename Enum>
using Names = std::vector<std::pair<Enum, std::string_view>>;

const Names<ProbeKind> k_probe_kinds{
    {ProbeKind::exec, "exec"},
    {ProbeKind::http, "http"},
    {ProbeKind::tcp, "tcp"},
    {ProbeKind::file, "file"},
    {ProbeKind::log, "log"}};
const Names<RestartPolicy> k_restart_policies{
    {RestartPolicy::no, "no"}, {RestartPolicy::on_failure, "on-failure"}, {RestartPolicy::always, "always"}};
const Names<DependencyCondition> k_conditions{
    {DependencyCondition::started, "started"},
    {DependencyCondition::ready, "ready"},
    {DependencyCondition::completed, "completed"}};
const Names<ServiceState> k_states{
    {ServiceState::waiting, "waiting"},     {ServiceState::starting, "starting"},
    {ServiceState::running, "running"},     {ServiceState::ready, "ready"},
    {ServiceState::completed, "completed"}, {ServiceState::exited, "exited"},
    {ServiceState::stopped, "stopped"},     {ServiceState::failed, "failed"}};

const Names<ServiceFailure> k_failures{
    {ServiceFailure::none, "none"},
    {ServiceFailure::own, "own"},
    {ServiceFailure::background, "background"},
    {ServiceFailure::timeout, "timeout"},
    {ServiceFailure::dependency, "dependency"}};

template <typename Enum>
std::string_view to_name(const Names<Enum>& names, Enum value) {
  for (auto& [known, name] : names) {
    if (known == value) {
      return name;
    }
  }
  return "?";
}

template <typename Enum>
Enum from_name(const Names<Enum>& names, std::string_view text, std::string_view key) {
  std::string list;
  for (auto& [value, name] : names) {
    if (name == text) {
      return value;
    }
    list.append(list.empty() ? "" : ", ").append(name);
  }
  throw Error(ErrorCode::invalid_argument, "'{}' must be one of: {}; not '{}'", key, list, text);
}

bool has(const Json& value, const char* key) {
  auto found = value.find(key);
  return found != value.end() && !found->is_null();
}

void check_header(const std::string& text) {
  if (has_control_characters(text)) {
    throw Error(ErrorCode::invalid_argument, "an http probe must not hold control characters");
  }
}

std::vector<std::string> names_from_json(const Json& value) {
  auto names = strings_or_empty(value, "names");
  for (auto& name : names) {
    check_name(name, "the service");
  }
  return names;
}

void check_cycles(const std::map<std::string, ServiceDefinition>& services) {
  std::set<std::string> done;
  std::set<std::string> open;
  std::function<void(const std::string&)> visit = [&](const std::string& name) {
    if (done.contains(name)) {
      return;
    }
    if (!open.insert(name).second) {
      throw Error(
          ErrorCode::invalid_argument, "services depend on each other in a circle through '{}'", name);
    }
    for (auto& [other, dependency] : services.at(name).depends_on) {
      if (!services.contains(other)) {
        throw Error(
            ErrorCode::invalid_argument, "service '{}' depends on '{}', which does not exist", name, other);
      }
      visit(other);
    }
    open.erase(name);
    done.insert(name);
  };
  for (auto& [name, definition] : services) {
    visit(name);
  }
}

} // namespace

std::string_view name_of(ServiceState state) {
  return to_name(k_states, state);
}

std::string_view name_of(ServiceFailure failure) {
  return to_name(k_failures, failure);
}

std::string_view name_of(ProbeKind kind) {
  return to_name(k_probe_kinds, kind);
}

Json to_json(const Probe& value) {
  Json json{
      {"kind", name_of(value.kind)},
      {"interval_ms", value.interval_ms},
      {"timeout_ms", value.timeout_ms},
      {"deadline_ms", value.deadline_ms},
      {"successes", value.successes},
      {"failures", value.failures},
      {"watch", value.watch}};
  switch (value.kind) {
  case ProbeKind::exec:
    json["argv"] = value.argv;
    break;
  case ProbeKind::http:
    json["path"] = value.http_path;
    json["method"] = value.method;
    json["headers"] = value.headers;
    for (auto& range : value.status) {
      json["status"].push_back({range.from, range.to});
    }
    [[fallthrough]];
  case ProbeKind::tcp:
    json["host"] = value.host;
    json["port"] = value.port;
    break;
  case ProbeKind::file:
    json["path"] = value.file;
    break;
  case ProbeKind::log:
    json["pattern"] = value.pattern;
    json["regex"] = value.regex;
    break;
  }
  return json;
}

Probe probe_from_json(const Json& value) {
  Probe probe;
  probe.kind = from_name(k_probe_kinds, get_string(value, "kind"), "kind");
  probe.interval_ms = milliseconds(value, "interval_ms", 0);
  probe.timeout_ms = bounded(value, "timeout_ms", 2000, 1, k_max_milliseconds);
  probe.deadline_ms = milliseconds(value, "deadline_ms", 60000);
  probe.successes = static_cast<int>(bounded(value, "successes", 1, 1, 1000));
  probe.failures = static_cast<int>(bounded(value, "failures", 3, 1, 1000));
  probe.watch = bool_or(value, "watch", false);
  switch (probe.kind) {
  case ProbeKind::exec:
    probe.argv = get_strings(value, "argv");
    if (probe.argv.empty() || probe.argv.front().empty()) {
      throw Error(ErrorCode::invalid_argument, "'argv' of an exec probe must name a program");
    }
    break;
  case ProbeKind::http:
    probe.http_path = string_or(value, "path", "/");
    probe.method = string_or(value, "method", "GET");
    probe.headers = string_map_or_empty(value, "headers");
    check_header(probe.http_path);
    check_header(probe.method);
    for (auto& [name, text] : probe.headers) {
      check_header(name);
      check_header(text);
    }
    if (string_or(value, "scheme", "http") != "http") {
      throw Error(
          ErrorCode::invalid_argument, "an http probe cannot use the scheme '{}'",
          get_string(value, "scheme"))
          .with_hint("use an exec probe with curl for https");
    }
    if (has(value, "status")) {
      probe.status.clear();
      for (auto& range : value_at(value, "status")) {
        if (!range.is_array() || range.size() != 2 || !range[0].is_number_integer()
            || !range[1].is_number_integer()) {
          throw Error(ErrorCode::invalid_argument, "'status' must be a list of [from, to]");
        }
        probe.status.push_back({range[0].get<int>(), range[1].get<int>()});
      }
    }
    [[fallthrough]];
  case ProbeKind::tcp:
    probe.host = string_or(value, "host", "127.0.0.1");
    probe.port = static_cast<int>(bounded(value, "port", 0, 1, 65535));
    check_header(probe.host);
    break;
  case ProbeKind::file:
    probe.file = get_string(value, "path");
    break;
  case ProbeKind::log:
    probe.pattern = get_string(value, "pattern");
    probe.regex = bool_or(value, "regex", false);
    if (probe.pattern.empty() || probe.pattern.size() > 1024) {
      throw Error(ErrorCode::invalid_argument, "'pattern' must have 1 to 1024 characters");
    }
    break;
  }
  return probe;
}

Json to_json(const ServiceDefinition& value) {
  check_kernel_limits(value.argv, value.env);
  Json json{
      {"argv", value.argv},
      {"cwd", value.cwd},
      {"env", value.env},
      {"user", value.user},
      {"oneshot", value.oneshot},
      {"once_per_content", value.once_per_content},
      {"depends_on", Json::object()},
      {"ready_after_ms", value.ready_after_ms},
      {"readiness", value.readiness ? to_json(*value.readiness) : Json()},
      {"liveness", value.liveness ? to_json(*value.liveness) : Json()},
      {"restart", to_name(k_restart_policies, value.restart)},
      {"max_restarts", value.max_restarts},
      {"timeout_ms", value.timeout_ms},
      {"stop", {{"signal", value.stop_signal}, {"grace_ms", value.stop_grace_ms}}},
      {"hint", value.hint},
      {"definition_digest", value.definition_digest}};
  for (auto& [name, dependency] : value.depends_on) {
    json["depends_on"][name] = {
        {"condition", to_name(k_conditions, dependency.condition)}, {"restart", dependency.restart}};
  }
  return json;
}

ServiceDefinition service_definition_from_json(const Json& value) {
  auto how = exec_request_from_json(value); // argv, cwd, env, user, timeout_ms with the same rules
  ServiceDefinition result;
  result.argv = std::move(how.argv);
  result.cwd = std::move(how.cwd);
  result.env = std::move(how.env);
  result.user = std::move(how.user);
  result.timeout_ms = how.timeout_ms;
  result.oneshot = bool_or(value, "oneshot", false);
  result.once_per_content = bool_or(value, "once_per_content", false);
  if (has(value, "depends_on")) {
    auto& dependencies = value_at(value, "depends_on");
    if (!dependencies.is_object()) {
      throw Error(ErrorCode::invalid_argument, "'depends_on' must be an object");
    }
    for (auto& [name, item] : dependencies.items()) {
      result.depends_on[name] = {
          from_name(k_conditions, string_or(item, "condition", "ready"), "condition"),
          bool_or(item, "restart", false)};
    }
  }
  if (has(value, "readiness")) {
    result.readiness = probe_from_json(value_at(value, "readiness"));
  }
  result.ready_after_ms = milliseconds(value, "ready_after_ms", result.ready_after_ms);
  if (has(value, "liveness")) {
    result.liveness = probe_from_json(value_at(value, "liveness"));
  }
  result.restart = from_name(k_restart_policies, string_or(value, "restart", "no"), "restart");
  result.max_restarts = static_cast<int>(bounded(value, "max_restarts", 5, 0, 1000000));
  if (has(value, "stop")) {
    auto& stop = value_at(value, "stop");
    result.stop_signal = string_or(stop, "signal", "SIGTERM");
    result.stop_grace_ms = milliseconds(stop, "grace_ms", 10000);
  }
  result.hint = string_or(value, "hint", "");
  result.definition_digest = string_or(value, "definition_digest", "");
  return result;
}

Json to_json(const ServicesApply& value) {
  Json services = Json::object();
  for (auto& [name, definition] : value.services) {
    services[name] = to_json(definition);
  }
  return {{"services", std::move(services)}, {"start", value.start}, {"parallel", value.parallel}};
}

ServicesApply services_apply_from_json(const Json& value) {
  ServicesApply result;
  result.start = bool_or(value, "start", true);
  result.parallel =
      static_cast<int>(std::clamp<std::int64_t>(int_or(value, "parallel", 0), 0, k_max_services));
  auto& services = value_at(value, "services");
  if (!services.is_object()) {
    throw Error(ErrorCode::invalid_argument, "'services' must be an object");
  }
  if (services.size() > k_max_services) {
    throw Error(ErrorCode::invalid_argument, "{} services (limit {})", services.size(), k_max_services);
  }
  for (auto& [name, definition] : services.items()) {
    check_name(name, "the service");
    try {
      result.services[name] = service_definition_from_json(definition);
    } catch (Error& error) {
      error.add_context("in service " + name);
      throw;
    }
  }
  check_cycles(result.services);
  return result;
}

Json to_json(const ServiceStatus& value) {
  return {
      {"name", value.name},
      {"state", name_of(value.state)},
      {"failure", name_of(value.failure)},
      {"pid", value.pid},
      {"started_at", value.started_at},
      {"ready_at", value.ready_at},
      {"ended_at", value.ended_at},
      {"exit_code", value.exit_code ? Json(*value.exit_code) : Json()},
      {"signal", value.signal},
      {"restarts", value.restarts},
      {"oom_kills", value.oom_kills},
      {"stop_reason", value.stop_reason},
      {"reason", value.reason},
      {"last_probe", value.last_probe},
      {"definition_digest", value.definition_digest},
      {"by_hand", value.by_hand},
      {"log_tail", value.log_tail}};
}

ServiceStatus service_status_from_json(const Json& value) {
  ServiceStatus result;
  result.name = get_string(value, "name");
  check_name(result.name, "the service");
  result.state = from_name(k_states, get_string(value, "state"), "state");
  result.failure = from_name(k_failures, string_or(value, "failure", "none"), "failure");
  result.pid = get_int(value, "pid");
  result.started_at = get_double(value, "started_at");
  result.ready_at = get_double(value, "ready_at");
  result.ended_at =
      value.contains("ended_at") ? get_double(value, "ended_at") : 0; // older agents say nothing
  if (auto code = maybe_int(value, "exit_code")) {
    result.exit_code = static_cast<int>(std::clamp<std::int64_t>(*code, 0, 255));
  }
  result.signal = static_cast<int>(bounded(value, "signal", 0, 0, 127));
  result.restarts = static_cast<int>(bounded(value, "restarts", 0, 0, 1000000000));
  result.oom_kills = static_cast<int>(bounded(value, "oom_kills", 0, 0, 1000000000));
  result.stop_reason = string_or(value, "stop_reason", "");
  result.reason = string_or(value, "reason", "");
  result.last_probe = string_or(value, "last_probe", "");
  result.definition_digest = string_or(value, "definition_digest", "");
  result.by_hand = bool_or(value, "by_hand", false);
  result.log_tail = strings_or_empty(value, "log_tail");
  return result;
}

Json to_json(const ServicesWait& value) {
  return {{"names", value.names}};
}

ServicesWait services_wait_from_json(const Json& value) {
  return {names_from_json(value)};
}

Json to_json(const ServicesResult& value) {
  Json services = Json::array();
  for (auto& service : value.services) {
    services.push_back(to_json(service));
  }
  return {{"ok", value.ok}, {"services", std::move(services)}};
}

ServicesResult services_result_from_json(const Json& value) {
  ServicesResult result;
  result.ok = bool_or(value, "ok", false);
  auto& services = value_at(value, "services");
  if (!services.is_array() || services.size() > k_max_services) {
    throw Error(ErrorCode::protocol, "'services' must be a list of at most {}", k_max_services);
  }
  for (auto& service : services) {
    result.services.push_back(service_status_from_json(service));
  }
  return result;
}

Json to_json(const ServicesSelect& value) {
  return {{"names", value.names}, {"all", value.all}};
}

ServicesSelect services_select_from_json(const Json& value) {
  ServicesSelect result{names_from_json(value), bool_or(value, "all", false)};
  if (result.names.empty() && !result.all) {
    throw Error(ErrorCode::invalid_argument, "'names' is empty and 'all' is not set");
  }
  return result;
}

Json to_json(const ServicesLogs& value) {
  return {{"name", value.name}, {"tail", value.tail}, {"follow", value.follow}, {"stream", value.stream}};
}

ServicesLogs services_logs_from_json(const Json& value) {
  ServicesLogs result;
  result.name = get_string(value, "name");
  check_name(result.name, "the service");
  result.tail = int_or(value, "tail", -1);
  result.follow = bool_or(value, "follow", false);
  result.stream = string_or(value, "stream", "both");
  if (result.stream != "both" && result.stream != "stdout" && result.stream != "stderr") {
    throw Error(
        ErrorCode::invalid_argument, "'stream' must be one of: stdout, stderr, both; not '{}'",
        result.stream);
  }
  return result;
}

Json to_json(const ServicesDefine& value) {
  return {{"name", value.name}, {"definition", to_json(value.definition)}};
}

ServicesDefine services_define_from_json(const Json& value) {
  ServicesDefine result{
      get_string(value, "name"), service_definition_from_json(value_at(value, "definition"))};
  check_name(result.name, "the service");
  if (!result.definition.depends_on.empty()) {
    throw Error(ErrorCode::invalid_argument, "a service that is not applied cannot depend on others");
  }
  return result;
}

Json to_json(const ServicesEnded& value) {
  return {{"name", value.name}};
}

ServicesEnded services_ended_from_json(const Json& value) {
  ServicesEnded result{get_string(value, "name")};
  check_name(result.name, "the service");
  return result;
}

} // namespace pyro::protocol
