// Looking at and using a workspace: status, list, exec, logs, diff.
#include "manager.hpp"
#include "manager_state.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/file_lock.hpp>
#include <pyro/spec/applied_spec.hpp>
#include <pyro/spec/normal_form.hpp>
#include <pyro/workspace/apply/observe.hpp>
#include <pyro/workspace/context/secrets.hpp>
#include <pyro/workspace/sandbox/guest_services.hpp>
#include <pyro/workspace/state/describe.hpp>
#include <pyro/workspace/state/drift.hpp>
#include <pyro/workspace/state/kept_logs.hpp>
#include <pyro/workspace/state/locate.hpp>
#include <pyro/workspace/state/snapshots.hpp>
#include <pyro/workspace/use/logged_exec.hpp>

#include <unistd.h>

namespace pyro::workspace {

namespace {

/// The snapshot that the content came from: as reset noted it, else the newest on the same layers.
Json base_snapshot_of(
    const store::WorkspaceRecord& record, const std::vector<store::SnapshotRecord>& snapshots) {
  const auto& noted = record.base.snapshot;
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
  if (roots.empty()) {
    roots = spec::applied_spec(record.spec).drift_report;
  }
  return roots.empty() ? std::vector<std::string>{"/"} : roots;
}

/// Of a workspace that is stopped: what its services had written. False: there is nothing to show.
bool show_kept_logs(
    const store::WorkspacePaths& paths, const store::WorkspaceRecord& record, const std::string& service,
    int tail, const std::function<void(const std::string&, const std::string&)>& line) {
  bool any = false;
  if (record.state == store::WorkspaceState::started) {
    return any;
  }
  for (const auto& name : kept_log_names(paths, record)) {
    auto logs = service.empty() || name == service ? kept_log(paths, record, name) : std::nullopt;
    if (!logs) {
      continue;
    }
    any = true;
    if (tail >= 0) {
      logs->keep_last(static_cast<std::size_t>(tail));
    }
    for (const auto& kept : logs->lines) {
      line(name, kept.text);
    }
  }
  return any;
}

} // namespace

Json Manager::status(const std::string& workspace, const Project& project) {
  auto& context = m_state->context;
  context.base.prepare();
  const auto located = locate(context, workspace, project);
  const auto record = look_at_workspace(context, located.id);
  const store::WorkspacePaths paths(context.base, located.id);
  auto document = describe(paths, record);
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
  const bool is_declared =
      located.declared && !record.checkout.empty(); // a fork only knows its services' file
  if (!is_declared || located.declared->complete) { // else nobody can say
    document["spec_changed"] = is_declared && spec::normal_form(*located.declared) != record.spec;
  }
  const auto holder = os::lock_holder(paths.lock());
  if (holder && holder->pid != ::getpid()) { // our own is that of the call which asks
    document["lock"] = {{"pid", holder->pid}, {"operation", holder->operation}, {"since", holder->since}};
  }
  return document;
}

Json Manager::list() {
  return list_matching("", {}, "");
}

ExecResult Manager::exec(
    const std::string& workspace, const Project& project, const ExecRequest& request,
    const ExecStreams& streams) {
  auto& context = m_state->context;
  context.base.prepare();
  const auto located = locate(context, workspace, project);
  const store::WorkspacePaths paths(context.base, located.id);
  return run_logged(context, paths, connect_running(context, located.id, "exec"), request, streams);
}

void Manager::logs(
    const std::string& workspace, const Project& project, const std::string& service, int tail, bool follow,
    const std::function<void(const std::string&, const std::string&)>& shown,
    const std::function<bool()>& stop) {
  auto& context = m_state->context;
  context.base.prepare();
  const auto located = locate(context, workspace, project);
  const store::WorkspacePaths paths(context.base, located.id);
  const auto record = look_at_workspace(context, located.id);
  const auto redactor = redactor_of(paths, record);
  const std::function line = [&](const std::string& name, const std::string& text) {
    shown(name, redactor.redact(text));
  };
  if (!follow && show_kept_logs(paths, record, service, tail, line)) {
    return;
  }
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
  const store::WorkspacePaths paths(context.base, located.id);
  auto document = read_settled(context, located.id, "diff", [&](const store::WorkspaceRecord& record) {
    DiffRequest request{base_stack_of(record), roots_for(wanted, record), built_in_ignores()};
    if (located.declared) {
      const auto& own = located.declared->drift.ignore;
      request.ignore.insert(request.ignore.end(), own.begin(), own.end());
    }
    request.patches = patches ? store::Patches::yes : store::Patches::no;
    return diff_workspace(context, paths, record, request);
  });
  document["workspace_id"] = located.id;
  return document;
}

} // namespace pyro::workspace
