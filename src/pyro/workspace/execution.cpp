#include "execution.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/names.hpp>
#include <pyro/os/file_lock.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/sandbox/delivered_secrets.hpp>
#include <pyro/workspace/sandbox/failed_step.hpp>
#include <pyro/workspace/sandbox/guest_services.hpp>
#include <pyro/workspace/state/active.hpp>
#include <pyro/workspace/state/command_log.hpp>
#include <pyro/workspace/state/kept_logs.hpp>
#include <pyro/workspace/state/locate.hpp>
#include <pyro/workspace/state/service_records.hpp>
#include <pyro/workspace/up_and_down.hpp>
#include <pyro/workspace/use/failed_step_exec.hpp>
#include <pyro/workspace/use/logged_exec.hpp>

namespace pyro::workspace {

namespace {

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

/// Of output that was followed since `before`.
std::string why_output_ended(Context& context, const store::WorkspaceRecord& before, bool is_cut_off) {
  const auto now = load_and_recover_if_there(context, before.id);
  if (!now || is_destroyed(*now)) {
    return "the workspace was destroyed";
  }
  if (now->reset_count != before.reset_count) {
    return fmt::format(
        "the workspace was reset{}; `pyro logs -f` follows what runs now",
        now->base.snapshot.empty() ? "" : " to " + now->base.snapshot);
  }
  if (now->state != store::WorkspaceState::started) {
    return "the workspace was stopped";
  }
  return is_cut_off || now->generation != before.generation
             ? "the workspace was started anew; `pyro logs -f` follows what runs now"
             : "no service writes any more";
}

/// Where what an entry of the command log leaves out can be read.
void add_cursors(const Context& context, Json& entry) {
  const auto id = string_or(entry, "output_id", "");
  for (const auto& [name, stream] :
       {std::pair("stdout", OutputStream::out), std::pair("stderr", OutputStream::err)}) {
    const bool is_cut = bool_or(entry, fmt::format("{}_truncated", name), false);
    entry[fmt::format("{}_cursor", name)] =
        is_cut ? output_cursor(context.base, id, stream, k_logged_beginning) : Json();
  }
  entry.erase("output_id");
}

} // namespace

ExecResult exec_in_workspace(
    Context& context, const std::string& workspace, const Project& project, const ExecRequest& request,
    const ExecStreams& streams) {
  context.base.prepare();
  if (request.in_failed_step) {
    if (!workspace.empty()) {
      throw Error(
          ErrorCode::invalid_argument, "a failed step is one of a pyro.yaml, not of a workspace by name");
    }
    return exec_in_failed_step(context, project, request, streams);
  }
  const auto located = locate(context, workspace, project);
  const store::WorkspacePaths paths(context.base, located.id);
  auto record = located.record ? *located.record : context.records.load(located.id);
  if (record.generation > 0 && spec_changed(located, record).value_or(false)) {
    context.emit("note", "", "pyro.yaml changed since apply; see: pyro plan");
  }
  if (request.start_if_stopped && record.state == store::WorkspaceState::stopped) {
    bring_up_workspace(context, workspace, project);
    return run_logged(context, paths, connect_running(context, located.id, "exec"), request, streams);
  }
  const auto running = connect_running(context, located.id, "exec", std::move(record));
  return run_logged(context, paths, running, request, streams);
}

Json read_command_log(
    Context& context, const std::string& workspace, std::int64_t limit, std::int64_t cursor) {
  context.base.prepare();
  const auto located = locate(context, workspace, {});
  const CommandLog log(
      store::WorkspacePaths(context.base, located.id), load_and_recover(context, located.id));
  auto entries = log.entries(limit, cursor);
  for (auto& entry : entries) {
    add_cursors(context, entry);
  }
  const auto first = entries.empty() ? 0 : get_int(entries.front(), "sequence");
  const bool has_more = first > 1 && !log.entries(1, first).empty();
  return {
      {"workspace_id", located.id},
      {"count", log.count()},
      {"entries", std::move(entries)},
      {"next_cursor", has_more ? Json(first) : Json()}};
}

Json cursor_of_output(
    const Context& context, const ExecResult& result, OutputStream stream, std::uint64_t shown) {
  return output_cursor(context.base, result.output_id, stream, shown);
}

Json read_on(Context& context, const std::string& cursor) {
  context.base.prepare();
  return read_kept_output(context.base, cursor);
}

void stream_service_logs(
    Context& context, const std::string& workspace, const Project& project, const std::string& service,
    int tail, bool follow, const std::function<void(const std::string&, const std::string&)>& shown,
    const std::function<bool()>& stop) {
  context.base.prepare();
  const auto located = locate(context, workspace, project);
  const store::WorkspacePaths paths(context.base, located.id);
  const auto record = load_and_recover(context, located.id);
  if (!follow && show_kept_logs(paths, record, service, tail, shown)) {
    return; // kept without secrets (keep_logs)
  }
  const auto tell_none = [&] {
    context.emit("note", "", "this workspace has no services");
  };
  if (service.empty() && record.state != store::WorkspaceState::started && !has_services(paths, record)) {
    tell_none();
    return;
  }
  auto client = connect_sandbox(paths.runtime(), "logs");
  LiveRedactor secrets(*client, paths, record);
  secrets.await();
  const std::function line = [&](const std::string& name, const std::string& text) {
    shown(name, secrets.now().redact(text));
  };
  std::vector<std::string> names;
  std::vector<std::string> all;
  for (const auto& status : services_status(*client)) {
    all.push_back(status.name);
    if (service.empty() || status.name == service) {
      names.push_back(status.name);
    }
  }
  if (names.empty() && service.empty()) {
    tell_none();
    return;
  }
  if (names.empty()) {
    throw Error(ErrorCode::not_found, "there is no service '{}' in this workspace", service)
        .with_hint(names_hint(service, std::move(all)));
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
  if (follow && all_done()) {
    while (os::lock_holder(paths.lock()) && !(stop && stop())) { // whoever ended it is still at work
      client->loop().turn(std::chrono::milliseconds(100));
    }
    context.emit("note", "", why_output_ended(context, record, failure.has_value()));
  }
}

void remove_failed_steps(const Context& context) {
  forget_failed_steps(context);
}

} // namespace pyro::workspace
