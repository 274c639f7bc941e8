#include "describe.hpp"

#include "command_log.hpp"
#include "service_records.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/utc.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/protocol/guest_boot.hpp>
#include <pyro/protocol/service_requests.hpp>
#include <pyro/spec/applied_spec.hpp>
#include <pyro/workspace/context/secrets.hpp>
#include <pyro/workspace/sandbox/guest_address.hpp>

#include <ctime>
#include <set>
#include <unistd.h>

namespace pyro::workspace {

namespace {

/// When its sandbox was started: a process tells it in ticks since boot.
double started_at(const store::WorkspaceRecord& record) {
  if (record.state != store::WorkspaceState::started || !record.supervisor) {
    return 0;
  }
  timespec since_boot{};
  ::clock_gettime(CLOCK_BOOTTIME, &since_boot);
  const auto ticks = static_cast<double>(record.supervisor->start_time);
  const auto age = static_cast<double>(since_boot.tv_sec) + static_cast<double>(since_boot.tv_nsec) / 1e9
                   - ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
  return os::now_epoch() - std::max(0.0, age);
}

double last_activity(const store::WorkspaceRecord& record, const CommandLog& log) {
  return std::max(record.last_activity_at, log.last_at());
}

Json describe_seed(const store::WorkspaceRecord& record) {
  if (record.seed.mode.empty()) {
    return Json::object(); // not applied yet
  }
  return {
      {"mode", record.seed.mode},
      {"seed_path", or_null(record.seed.path)},
      {"entry_count", or_null(record.seed.entry_count)},
      {"bytes_written", or_null(record.seed.bytes)}};
}

Json describe_mounts(const store::WorkspaceRecord& record) {
  Json list = Json::array();
  for (const auto& mount : record.mounts) {
    list.push_back({{"from", mount.path}, {"to", mount.target}, {"mode", mount.writable ? "rw" : "ro"}});
  }
  return list;
}

/// null where there is none, or its time is over.
Json describe_undo(const store::WorkspaceRecord& record) {
  if (!record.undo || is_over(*record.undo)) {
    return nullptr;
  }
  const auto& undo = *record.undo;
  return {{"reason", undo.reason}, {"made_at", undo.made_at}, {"expires_at", undo.expires_at}};
}

Json describe_record(const store::WorkspaceRecord& record, const CommandLog& log) {
  Json document{
      {"workspace_id", record.id},
      {"name", record.name},
      {"labels", record.labels},
      {"environment", record.environment},
      {"state", is_destroyed(record) ? "destroyed" : std::string(store::name_of(record.state))},
      {"workspace_path", "/workspace"},
      {"workspace_seed", describe_seed(record)},
      {"checkout", record.checkout},
      {"checkout_gone", !record.checkout.empty() && !os::is_directory(record.checkout)},
      {"backend", record.backend},
      {"isolation", record.isolation},
      {"execution_mode", record.execution_mode},
      {"network", {{"egress", record.egress}}},
      {"mounts", describe_mounts(record)},
      {"network_policy", record.egress == "none" ? "off" : "egress"},
      {"vcpu_count", record.limits.vcpu_count},
      {"mem_mib", record.limits.mem_mib},
      {"generation", record.spec_generation},
      {"command_count", log.count()},
      {"last_command", log.last()},
      {"reset_count", record.reset_count},
      {"last_reset_at", record.last_reset_at ? Json(*record.last_reset_at) : Json()},
      {"created_at", record.created_at},
      {"started_at", or_null(started_at(record))},
      {"destroyed_at", record.destroyed_at ? Json(*record.destroyed_at) : Json()},
      {"last_activity_at", last_activity(record, log)},
      {"expires_at", record.expires_at ? Json(*record.expires_at) : Json()},
      {"ttl_seconds", record.lifecycle.ttl_ms > 0 ? Json(record.lifecycle.ttl_ms / 1000) : Json()},
      {"sandbox_pid", record.sandbox_pid ? Json(*record.sandbox_pid) : Json()},
      {"supervisor_pid", record.supervisor ? Json(record.supervisor->pid) : Json()},
      {"last_error", record.last_error},
      {"notes", record.notes},
      {"undo", describe_undo(record)}};
  document.update(describe_network(record));
  return document;
}

/// A service by hand that has no process, in the words of the others.
Json describe_ended(const Json& document) {
  return {
      {"name", document["service_name"]},
      {"state", document["state"]},
      {"exit_code", document.value("exit_code", Json())},
      {"ended_at", document.value("ended_at", Json())},
      {"reason", string_or(document, "reason", "")},
      {"stop_reason", string_or(document, "stop_reason", "")}};
}

std::vector<std::string>
secret_names(const store::WorkspacePaths& paths, const store::WorkspaceRecord& record) {
  auto names = record.secrets;
  for (const auto& [name, value] : kept_secrets(paths)) {
    names.push_back(name);
  }
  return names;
}

/// What can be said of a sandbox whose agent does not answer.
Json unknown_services(const store::WorkspaceRecord& record) {
  Json list = Json::array();
  const auto applied = spec::applied_spec(record.spec);
  for (const auto& name : applied.services) {
    list.push_back({{"name", name}, {"state", "unknown"}});
  }
  return list;
}

} // namespace

Questions questions_to_describe() {
  return {inquiry::k_services, inquiry::k_kills, inquiry::k_status};
}

Json describe_oom_kills(const SandboxAnswers& answers) {
  try {
    const auto told = answers.maybe(inquiry::k_kills);
    if (!told) {
      return nullptr;
    }
    Json kills{{"count", get_int(*told, "count")}, {"last", nullptr}};
    if (const auto last = told->find("last"); last != told->end() && last->is_object()) {
      kills["last"] = {{"who", get_string(*last, "who")}, {"at", get_double(*last, "at")}};
      redact_strings(kills, answers.redactor());
    }
    return kills;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::timeout) {
      throw;
    }
    return nullptr; // it was started by an older pyro
  }
}

namespace {

/// For people: who was killed last.
std::string oom_sentence(const Json& kills) {
  const auto count = int_or(kills, "count", 0);
  auto text = fmt::format(
      "{} killed: out of memory (environment.resources.memory)",
      count == 1 ? "a process was" : fmt::format("{} processes were", count));
  if (const auto& last = kills.at("last"); last.is_object()) {
    text += ", the last one of " + get_string(last, "who");
  }
  return text;
}

} // namespace

namespace {

/// What the supervisor knows of its limits: of its files' size, where somebody watches (else null), and why
/// its processes were last ended for what they took from the user.
void describe_limits(const SandboxAnswers& answers, Json& document) {
  document["disk"] = nullptr;
  try {
    const auto known = answers.maybe(inquiry::k_status).value_or(Json::object());
    document["disk"] = known.value("disk", Json());
    if (const auto stopped = known.value("stopped", Json()); stopped.is_object()) {
      document["notes"].push_back(fmt::format(
          "all processes were ended at {}: {}",
          format_utc(
              std::chrono::system_clock::from_time_t(static_cast<std::time_t>(get_double(stopped, "at")))),
          get_string(stopped, "reason")));
    }
  } catch (const Error&) {
    // It hangs, which the services tell.
  }
}

} // namespace

Json describe_services(
    const store::WorkspacePaths& paths, const store::WorkspaceRecord& record, const SandboxAnswers& answers) {
  Json list = Json::array();
  std::set<std::string> known;
  if (const auto told = answers.maybe(inquiry::k_services)) {
    for (const auto& status : protocol::services_result_from_json(*told).services) {
      list.push_back(protocol::to_json(status));
      known.insert(status.name);
    }
    if (!list.empty()) {
      redact_strings(list, answers.redactor()); // their last lines and probes may say anything
    }
  } else {
    const auto applied = spec::applied_spec(record.spec);
    for (const auto& name : applied.services) {
      list.push_back({{"name", name}, {"state", "stopped"}, {"stop_reason", "workspace_stopped"}});
    }
  }
  for (const auto& document : ServiceRecords(paths, record).without_process(known)) {
    list.push_back(describe_ended(document));
  }
  return list;
}

Json describe_network(const store::WorkspaceRecord& record) {
  const bool on_host = record.execution_mode == "host_compat"; // shares this machine's network
  const bool enabled = on_host || record.egress != "none";
  Json address;
  if (enabled && record.state == store::WorkspaceState::started && record.sandbox_pid) {
    const auto found = record.execution_mode == "guest_serial"
                           ? std::optional<std::string>(protocol::k_user_network_address)
                           : guest_address(*record.sandbox_pid);
    address = found ? Json(*found) : Json();
  }
  return {{"network_enabled", enabled}, {"guest_ip", address}};
}

namespace {

/// For a browser of this machine, whatever else the address takes connections from.
Json url_of(const std::string& address, int host_port, bool is_http) {
  const auto host = address == "0.0.0.0" ? "127.0.0.1" : address == "::" ? "::1" : address;
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return is_http ? Json(fmt::format("http://{}:{}/", is_ipv6 ? "[" + host + "]" : host, host_port)) : Json();
}

Json port_of(const std::string& service, int port, int host_port, const std::string& address, bool is_http) {
  return {
      {"service", service},
      {"port", port},
      {"host_port", host_port},
      {"address", address},
      {"url", url_of(address, host_port, is_http)}};
}

/// Of one by hand; empty where it does not run.
void add_ports_by_hand(const Json& service, Json& list) {
  const auto state = string_or(service, "state", "");
  if (state != "running" && state != "starting") {
    return;
  }
  const auto readiness = service.value("readiness", Json());
  const bool is_http = readiness.is_object() && string_or(readiness, "type", "") == "http";
  for (const auto& port : service.value("published_ports", Json::array())) {
    list.push_back(port_of(
        get_string(service, "service_name"), static_cast<int>(get_int(port, "guest_port")),
        static_cast<int>(get_int(port, "host_port")), "127.0.0.1", is_http));
  }
}

} // namespace

Json describe_ports(const store::WorkspacePaths& paths, const store::WorkspaceRecord& record) {
  Json list = Json::array();
  if (record.state != store::WorkspaceState::started) {
    return list;
  }
  const auto http_ports = spec::applied_spec(record.spec).http_ports;
  for (const auto& port : record.ports) {
    const auto known = http_ports.find(port.service);
    const bool is_http = known != http_ports.end() && known->second.contains(port.port);
    list.push_back(port_of(port.service, port.port, port.host_port, port.address, is_http));
  }
  for (const auto& service : ServiceRecords(paths, record).all()) {
    add_ports_by_hand(service, list);
  }
  return list;
}

double last_activity(const store::WorkspacePaths& paths, const store::WorkspaceRecord& record) {
  return last_activity(record, CommandLog(paths, record));
}

Json describe(
    const store::WorkspacePaths& paths, const store::WorkspaceRecord& record, const SandboxAnswers& answers) {
  auto document = describe_record(record, CommandLog(paths, record));
  Json services;
  document["oom_kills"] = nullptr;
  try {
    services = describe_services(paths, record, answers);
    document["oom_kills"] = describe_oom_kills(answers);
    if (document["oom_kills"].is_object() && int_or(document["oom_kills"], "count", 0) > 0) {
      document["notes"].push_back(oom_sentence(document["oom_kills"]));
    }
  } catch (const Error& error) {
    if (error.code() == ErrorCode::interrupted) {
      throw;
    }
    // Whatever one sandbox says or does not say, the others are told of.
    services = unknown_services(record);
    document["oom_kills"] = nullptr;
    document["notes"].push_back(
        error.code() == ErrorCode::timeout
            ? "the sandbox hangs: its agent does not answer; `pyro reset` makes it anew"
            : fmt::format(
                "the sandbox's agent makes no sense: {}; `pyro reset` makes it anew", error.what()));
  }
  document["services"] = services;
  document["ports"] = describe_ports(paths, record);
  describe_limits(answers, document);
  document["service_count"] = services.size();
  document["running_service_count"] =
      std::count_if(services.begin(), services.end(), [](const Json& service) {
        const auto state = string_or(service, "state", "");
        return state == "running" || state == "ready" || state == "starting";
      });
  document["secrets"] = secret_names(paths, record);
  return document;
}

} // namespace pyro::workspace
