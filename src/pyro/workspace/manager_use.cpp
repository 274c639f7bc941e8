// Looking at and using a workspace: status, list, exec, logs, diff.
#include "drift.hpp"
#include "guest_exec.hpp"
#include "guest_services.hpp"
#include "locate.hpp"
#include "manager.hpp"
#include "manager_state.hpp"
#include "observe.hpp"
#include "snapshots.hpp"

#include <pyro/os/clock.hpp>
#include <pyro/os/file_lock.hpp>
#include <pyro/spec/normal_form.hpp>

#include <ctime>
#include <unistd.h>

namespace pyro::workspace {

namespace {

Json or_null(double epoch) {
  return epoch > 0 ? Json(epoch) : Json();
}

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

Json describe(const store::WorkspaceRecord& record) {
  return {{"workspace_id", record.id},
          {"name", record.name},
          {"labels", record.labels},
          {"environment", record.environment},
          {"state", is_destroyed(record) ? "destroyed" : std::string(store::name_of(record.state))},
          {"workspace_path", "/workspace"},
          {"workspace_seed", record.workspace_seed},
          {"checkout", record.checkout},
          {"backend", record.backend},
          {"isolation", record.isolation},
          {"execution_mode", record.execution_mode},
          {"network", record.network},
          {"vcpu_count", record.vcpu_count},
          {"mem_mib", record.mem_mib},
          {"generation", record.spec_generation},
          {"command_count", record.command_count},
          {"last_command", record.last_command},
          {"reset_count", record.reset_count},
          {"last_reset_at", record.last_reset_at ? Json(*record.last_reset_at) : Json()},
          {"created_at", record.created_at},
          {"started_at", or_null(started_at(record))},
          {"destroyed_at", or_null(record.metadata.value("destroyed_at", 0.0))},
          {"last_activity_at", record.last_activity_at},
          {"expires_at", record.expires_at ? Json(*record.expires_at) : Json()},
          {"sandbox_pid", record.sandbox_pid ? Json(*record.sandbox_pid) : Json()},
          {"supervisor_pid", record.supervisor ? Json(record.supervisor->pid) : Json()},
          {"last_error", record.last_error},
          {"notes", record.metadata.value("notes", Json::array())},
          {"undo", record.undo ? Json{{"reason", record.undo->reason},
                                      {"made_at", record.undo->made_at},
                                      {"expires_at", record.undo->expires_at}}
                               : Json()}};
}

/// Services as the agent tells them; of a workspace that is not running: as declared, stopped.
Json describe_services(const store::WorkspacePaths& paths, const store::WorkspaceRecord& record) {
  Json list = Json::array();
  if (record.state == store::WorkspaceState::started) {
    if (auto client = backend::ControlClient::connect(paths.control_socket())) {
      for (const auto& status : services_status(*client)) {
        list.push_back(protocol::to_json(status));
      }
      return list;
    }
  }
  if (record.spec.is_object() && record.spec.contains("services")) {
    for (const auto& [name, definition] : record.spec["services"].items()) {
      list.push_back({{"name", name}, {"state", "stopped"}, {"stop_reason", "workspace_stopped"}});
    }
  }
  return list;
}

/// Published ports, as publish_ports() remembers them: {"web:8080": 40123}.
Json describe_ports(const store::WorkspaceRecord& record) {
  Json list = Json::array();
  const auto remembered = record.metadata.value("ports", Json::object());
  if (record.state != store::WorkspaceState::started || !remembered.is_object()) {
    return list;
  }
  for (const auto& [key, host_port] : remembered.items()) {
    const auto colon = key.rfind(':');
    if (colon != std::string::npos && host_port.is_number_integer()) {
      list.push_back(
          {{"service", key.substr(0, colon)},
           {"port", std::atoi(key.c_str() + colon + 1)},
           {"host_port", host_port}});
    }
  }
  return list;
}

/// The snapshot that the content came from: as reset noted it, else the newest on the same layers.
Json base_snapshot_of(
    const store::WorkspaceRecord& record, const std::vector<store::SnapshotRecord>& snapshots) {
  const auto noted = string_or(record.metadata, "base_snapshot", "");
  const auto base = base_stack_of(record);
  Json found;
  for (const auto& snapshot : snapshots) {
    const bool same = snapshot.layers == base.layers || snapshot.layers == record.layers;
    if (same && (found.is_null() || snapshot.name != "baseline") && found != noted) {
      found = snapshot.name;
    }
  }
  return found;
}

std::vector<std::string>
roots_for(const std::vector<std::string>& paths, const store::WorkspaceRecord& record) {
  std::vector<std::string> roots;
  for (const auto& path : paths) {
    roots.push_back(path.front() == '/' ? path : record.workdir + "/" + path);
  }
  if (roots.empty() && record.spec.is_object()) {
    roots = strings_or_empty(record.spec.value("drift", Json::object()), "report");
  }
  return roots.empty() ? std::vector<std::string>{"/"} : roots;
}

} // namespace

Json Manager::status(const std::string& workspace, const Project& project) {
  auto& context = m_state->context;
  context.base.prepare();
  const auto located = locate(context, workspace, project);
  const auto record = look_at_workspace(context, located.id);
  const store::WorkspacePaths paths(context.base, located.id);
  auto document = describe(record);
  document["services"] = describe_services(paths, record);
  document["ports"] = describe_ports(record);
  Json snapshots = Json::array();
  document["base_snapshot"] = nullptr;
  try {
    const auto records = context.records.snapshots(located.id);
    snapshots = to_json_list(records);
    document["base_snapshot"] = base_snapshot_of(record, records);
  } catch (const Error& error) {
    document["snapshots_error"] = error.what();
  }
  document["snapshots"] = snapshots;
  document["spec_changed"] = located.project && spec::normal_form(located.project->spec) != record.spec;
  if (const auto holder = os::lock_holder(paths.lock())) {
    document["lock"] = {{"pid", holder->pid}, {"operation", holder->operation}, {"since", holder->since}};
  }
  return document;
}

Json Manager::list() {
  auto& context = m_state->context;
  context.base.prepare();
  Json workspaces = Json::array();
  std::vector<std::string> damaged;
  for (const auto& record : context.records.list(&damaged)) {
    if (!is_destroyed(record)) {
      workspaces.push_back(describe(look_at_workspace(context, record.id)));
    }
  }
  return {{"count", workspaces.size()}, {"workspaces", workspaces}, {"damaged", damaged}};
}

ExecResult Manager::exec(
    const std::string& workspace, const Project& project, const ExecRequest& request,
    const ExecStreams& streams) {
  auto& context = m_state->context;
  context.base.prepare();
  const auto located = locate(context, workspace, project);
  const auto record = look_at_workspace(context, located.id);
  const store::WorkspacePaths paths(context.base, located.id);
  if (record.state != store::WorkspaceState::started) {
    throw Error(
        ErrorCode::bad_state, "the workspace must be in 'started' state before exec{}",
        record.last_error.empty() ? "" : " (" + record.last_error + ")")
        .with_hint("`pyro apply` or `pyro start` starts it");
  }
  auto client = connect_sandbox(paths.runtime(), "exec");
  protocol::ExecRequest guest;
  guest.argv = request.argv;
  guest.cwd = request.cwd.empty() ? record.workdir : request.cwd;
  guest.env = record.env;
  for (const auto& [name, value] : request.env) {
    guest.env[name] = value;
  }
  guest.user = request.user.empty() ? record.user : request.user;
  guest.wants_stdin = streams.in >= 0;
  if (request.tty) {
    guest.pty = protocol::TerminalSize{request.columns, request.rows};
  }
  guest.timeout_ms = request.timeout.count();
  return run_with_streams(*client, guest, streams, request.poll_control);
}

void Manager::logs(
    const std::string& workspace, const Project& project, const std::string& service, int tail, bool follow,
    const std::function<void(const std::string&, const std::string&)>& line,
    const std::function<bool()>& stop) {
  auto& context = m_state->context;
  context.base.prepare();
  const auto located = locate(context, workspace, project);
  const store::WorkspacePaths paths(context.base, located.id);
  auto client = connect_sandbox(paths.runtime(), "logs");
  std::vector<std::string> names;
  for (const auto& status : services_status(*client)) {
    if (service.empty() || status.name == service) {
      names.push_back(status.name);
    }
  }
  if (names.empty()) {
    throw Error(ErrorCode::not_found, "there is no service '{}' in this workspace", service)
        .with_hint("`pyro status` lists the services");
  }

  struct Stream {
    std::string name;
    std::string rest;
    std::shared_ptr<protocol::Call> call;
    bool done = false;
  };

  std::vector<std::unique_ptr<Stream>> streams;
  std::optional<Error> failure;
  for (const auto& name : names) {
    auto* stream = streams.emplace_back(std::make_unique<Stream>()).get();
    stream->name = name;
    protocol::CallEvents events;
    events.on_data = [stream, &line](protocol::FrameType, std::string_view bytes) {
      stream->rest += bytes;
      stream->call->consume(bytes.size());
      std::size_t end = 0;
      while ((end = stream->rest.find('\n')) != std::string::npos) {
        line(stream->name, stream->rest.substr(0, end));
        stream->rest.erase(0, end + 1);
      }
    };
    events.on_message = [stream, &line](const Json& message) {
      if (message.contains("dropped_bytes")) {
        line(
            stream->name,
            fmt::format("[{} bytes before this were dropped]", message["dropped_bytes"].dump()));
      }
    };
    events.on_result = [stream](const Json&) {
      stream->done = true;
    };
    events.on_failure = [stream, &failure](const Error& error) {
      failure = error;
      stream->done = true;
    };
    stream->call = client->open(
        "/agent/services/logs", protocol::to_json(protocol::ServicesLogs{name, tail, follow, "both"}),
        std::move(events));
  }
  const auto all_done = [&] {
    return std::all_of(streams.begin(), streams.end(), [](const auto& stream) { return stream->done; });
  };
  while (!all_done() && !(stop && stop())) {
    client->loop().turn(std::chrono::milliseconds(100));
  }
  for (const auto& stream : streams) {
    if (!stream->rest.empty()) {
      line(stream->name, stream->rest);
    }
  }
  if (failure && !follow) {
    throw *failure;
  }
}

Json Manager::diff(
    const std::string& workspace, const Project& project, const std::vector<std::string>& wanted,
    bool patches) {
  auto& context = m_state->context;
  context.base.prepare();
  const auto located = locate(context, workspace, project);
  const auto record = look_at_workspace(context, located.id);
  const store::WorkspacePaths paths(context.base, located.id);
  DiffRequest request{base_stack_of(record), roots_for(wanted, record), built_in_ignores()};
  if (located.project) {
    const auto& own = located.project->spec.drift.ignore;
    request.ignore.insert(request.ignore.end(), own.begin(), own.end());
  }
  auto document = diff_workspace(context, paths, record, request);
  if (!patches) {
    document.erase("patch");
  }
  document["workspace_id"] = record.id;
  return document;
}

} // namespace pyro::workspace
