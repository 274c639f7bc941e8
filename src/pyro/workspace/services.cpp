#include "services.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/names.hpp>
#include <pyro/base/spare_save.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/protocol/requests.hpp>
#include <pyro/spec/applied_spec.hpp>
#include <pyro/store/disk_reserve.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/context/readiness.hpp>
#include <pyro/workspace/context/secrets.hpp>
#include <pyro/workspace/sandbox/delivered_secrets.hpp>
#include <pyro/workspace/sandbox/guest_services.hpp>
#include <pyro/workspace/sandbox/service_calls.hpp>
#include <pyro/workspace/state/command_log.hpp>
#include <pyro/workspace/state/kept_logs.hpp>
#include <pyro/workspace/state/locate.hpp>
#include <pyro/workspace/state/service_records.hpp>
#include <pyro/workspace/use/logged_exec.hpp>

#include <algorithm>

namespace pyro::workspace {

namespace {

constexpr std::int64_t k_stop_grace_ms = 5000;
constexpr std::size_t k_most_ports = 64;

struct ServiceHost {
  store::WorkspacePaths paths;
  store::WorkspaceRecord record;
  ServiceRecords services;

  bool started() const { return record.state == store::WorkspaceState::started; }
};

ServiceHost look(Context& context, const std::string& workspace) {
  context.base.prepare();
  const auto located = locate(context, workspace, {});
  auto record = load_and_recover(context, located.id);
  const store::WorkspacePaths paths(context.base, located.id);
  ServiceRecords services(paths, record);
  return {paths, std::move(record), std::move(services)};
}

/// The way to the agent, where there has to be one; `host` is then as it is in that sandbox.
std::unique_ptr<backend::ControlClient>
connect(Context& context, ServiceHost& host, const std::string& operation) {
  auto running = connect_running(context, host.record.id, operation);
  host.record = std::move(running.record);
  host.services = ServiceRecords(host.paths, host.record);
  return std::move(running.client);
}

/// What the agent says of it now, without secrets: for callers and for the record.
void take(const Redactor& redactor, Json& document, const protocol::ServiceStatus& status) {
  take_status(document, status);
  for (const auto* key : {"reason", "last_probe"}) {
    if (document[key].is_string()) {
      document[key] = redactor.redact(document[key].get<std::string>());
    }
  }
  if (const auto tail = document.find("log_tail"); tail != document.end()) {
    for (auto& line : *tail) {
      line = redactor.redact(line.get<std::string>());
    }
  }
}

/// Every service as it is now, by name. What the records say is brought up to date, and written where it
/// changed.
std::vector<Json> all_services(const ServiceHost& host) {
  const auto told = host.started() ? services_status_if_any(host.paths.control_socket()) : std::nullopt;
  std::map<std::string, protocol::ServiceStatus> running;
  std::set<std::string> known;
  for (const auto& status : told.value_or(std::vector<protocol::ServiceStatus>{})) {
    running[status.name] = status;
    known.insert(status.name);
  }
  auto all = host.services.without_process(known);
  const auto redactor = running.empty() ? Redactor() : redactor_of(host.paths, host.record);
  for (const auto& [name, status] : running) {
    const auto recorded = status.by_hand ? host.services.find(name) : std::nullopt;
    if (status.by_hand && !recorded) {
      continue; // it is just being removed, or begun
    }
    auto document = recorded.value_or(declared_service(name));
    take(redactor, document, status);
    if (recorded && document != *recorded) {
      save_spare(name, [&] { host.services.save(document); }); // the next look says it again
    }
    all.push_back(std::move(document));
  }
  if (!told) {
    const auto applied = spec::applied_spec(host.record.spec);
    for (const auto& name : applied.services) {
      auto document = declared_service(name);
      protocol::ServiceStatus status;
      status.state = protocol::ServiceState::stopped;
      status.stop_reason = "workspace_stopped";
      take_status(document, status);
      all.push_back(std::move(document));
    }
  }
  std::sort(all.begin(), all.end(), [](const Json& left, const Json& right) {
    return left["service_name"] < right["service_name"];
  });
  return all;
}

Json find_service(const ServiceHost& host, const std::string& name) {
  check_service_name(name);
  std::vector<std::string> names;
  for (auto& document : all_services(host)) {
    if (document["service_name"] == name) {
      return document;
    }
    names.push_back(document["service_name"]);
  }
  throw Error(ErrorCode::invalid_argument, "service {} does not exist", name)
      .with_hint(names_hint(name, std::move(names)));
}

/// For callers: whose it is.
Json shown(const ServiceHost& host, Json document) {
  document["workspace_id"] = host.record.id;
  document["execution_mode"] = host.record.execution_mode;
  return document;
}

protocol::ServicesDefine definition_of(const ServiceHost& host, const ServiceRequest& request) {
  protocol::ServicesDefine define;
  define.name = request.name;
  auto& definition = define.definition;
  definition.argv =
      request.command.empty() ? request.argv : std::vector<std::string>{"/bin/sh", "-c", request.command};
  definition.cwd = request.cwd.empty() ? host.record.workdir : request.cwd;
  definition.env = process_environment(host.paths, host.record, request.env, request.secret_env);
  definition.user = host.record.user;
  definition.readiness = readiness_probe(
      request.readiness, host.record.workdir, request.ready_timeout_seconds, request.ready_interval_ms);
  definition.ready_after_ms = 0;
  definition.stop_grace_ms = k_stop_grace_ms;
  definition.definition_digest = "by hand";
  return define;
}

Json new_document(
    const ServiceHost& host, const ServiceRequest& request, const std::optional<protocol::Probe>& probe) {
  const auto redactor = redactor_of(host.paths, host.record);
  auto readiness = request.readiness;
  if (probe && probe->kind == protocol::ProbeKind::file) {
    readiness["path"] = probe->file;
  }
  return {
      {"service_name", request.name},
      {"command", redactor.redact(request.command.empty() ? shell_text(request.argv) : request.command)},
      {"cwd", request.cwd.empty() ? host.record.workdir : request.cwd},
      {"readiness", std::move(readiness)},
      {"ready_timeout_seconds", request.ready_timeout_seconds},
      {"ready_interval_ms", request.ready_interval_ms},
      {"published_ports", Json::array()},
      {"state", "starting"}};
}

void check_ports(const std::vector<PublishedPort>& ports) {
  if (ports.size() > k_most_ports) {
    throw Error(
        ErrorCode::invalid_argument, "{} published ports are too many (limit {})", ports.size(),
        k_most_ports);
  }
  for (const auto& port : ports) {
    if (port.guest_port < 1 || port.guest_port > 65535 || port.host_port < 0 || port.host_port > 65535) {
      throw Error(ErrorCode::invalid_argument, "a published port must be between 1 and 65535");
    }
  }
}

/// Recorded before it runs: should we be killed in between, there is no service that nobody knows of.
void begin_service(
    const ServiceHost& host, backend::ControlClient& client, const protocol::ServicesDefine& define,
    const Json& document) {
  const auto before = host.services.find(define.name);
  host.services.save(document);
  try {
    client.call("/agent" + std::string(protocol::path::k_services_define), protocol::to_json(define));
  } catch (const Error&) {
    if (before) {
      host.services.save(*before);
    } else {
      host.services.remove(define.name);
    }
    throw;
  }
  os::crash_point("service.defined");
}

Json publish(backend::ControlClient& client, const ServiceRequest& request) {
  Json ports = Json::array();
  for (const auto& port : request.published_ports) {
    ports.push_back({{"guest_port", port.guest_port}, {"host_port", port.host_port}});
  }
  if (ports.empty()) {
    return ports;
  }
  try {
    return value_at(client.call("/ports/publish", {{"service", request.name}, {"ports", ports}}), "ports");
  } catch (const Error&) {
    stop_service(client, request.name);
    throw;
  }
}

} // namespace

Json start_workspace_service(Context& context, const std::string& workspace, const ServiceRequest& request) {
  check_service_name(request.name);
  if (request.command.empty() && (request.argv.empty() || request.argv.front().empty())) {
    throw Error(ErrorCode::invalid_argument, "command must not be empty");
  }
  check_ports(request.published_ports);
  readiness_probe(request.readiness, "/", request.ready_timeout_seconds, request.ready_interval_ms);
  auto host = look(context, workspace);
  const auto client = connect(context, host, "service_start");
  const auto define = definition_of(host, request);
  auto document = new_document(host, request, define.definition.readiness);
  try {
    begin_service(host, *client, define, document);
    document["published_ports"] = publish(*client, request);
    host.services.save(document);
    const auto status = wait_for_service(context, *client, request.name);
    take(redactor_of(host.paths, host.record), document, status);
    host.services.save(document);
  } catch (const Error&) {
    std::ignore = context.records.load(host.record.id); // removed meanwhile: says so
    throw;
  }
  return shown(host, document);
}

Json list_workspace_services(Context& context, const std::string& workspace) {
  const auto host = look(context, workspace);
  Json services = Json::array();
  std::size_t running = 0;
  for (auto& document : all_services(host)) {
    running += document["state"] == "running" || document["state"] == "starting" ? 1 : 0;
    services.push_back(shown(host, std::move(document)));
  }
  return {
      {"workspace_id", host.record.id},
      {"count", services.size()},
      {"running_count", running},
      {"services", services}};
}

Json get_workspace_service(Context& context, const std::string& workspace, const std::string& service) {
  const auto host = look(context, workspace);
  return shown(host, find_service(host, service));
}

Json read_workspace_service_logs(
    Context& context, const std::string& workspace, const std::string& service, std::int64_t tail_lines,
    std::optional<std::uint64_t> cursor) {
  auto host = look(context, workspace);
  const auto document = find_service(host, service);
  const auto told = host.started() ? services_status_if_any(host.paths.control_socket()) : std::nullopt;
  const bool is_there = told && std::any_of(told->begin(), told->end(), [&](const auto& status) {
                          return status.name == service;
                        });
  auto logs = is_there ? std::nullopt : kept_log(host.paths, host.record, service);
  if (!logs) {
    logs = read_service_logs(*connect(context, host, "service_logs"), service);
  }
  if (cursor) {
    logs->keep_before(*cursor);
  }
  const auto kept = logs->lines;
  if (tail_lines >= 0) {
    logs->keep_last(static_cast<std::size_t>(tail_lines));
  }
  const auto older = logs->place_before(kept);
  const auto redactor = redactor_of(host.paths, host.record);
  return {
      {"workspace_id", host.record.id},
      {"service_name", service},
      {"state", document["state"]},
      {"stdout", redactor.redact(logs->text_of(false))},
      {"stderr", redactor.redact(logs->text_of(true))},
      {"tail_lines", tail_lines < 0 ? Json() : Json(tail_lines)},
      {"truncated", logs->truncated},
      {"next_cursor", older ? Json(*older) : Json()}};
}

Json stop_workspace_service(Context& context, const std::string& workspace, const std::string& service) {
  const store::LentReserve reserve(context.base);
  auto host = look(context, workspace);
  check_service_name(service);
  const auto client = connect(context, host, "service_stop");
  auto document = find_service(host, service);
  try {
    const auto status = stop_service(*client, service);
    take(redactor_of(host.paths, host.record), document, status);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) {
      throw;
    }
    note_workspace_stopped(document); // it went with an earlier sandbox: what is gone is stopped
  }
  if (!document.contains("declared")) {
    host.services.save(document);
  }
  return shown(host, document);
}

} // namespace pyro::workspace
