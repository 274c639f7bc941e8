#include "snapshots.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/store/capture.hpp>
#include <pyro/workspace/sandbox/freeze.hpp>
#include <pyro/workspace/sandbox/refresh_upper.hpp>

namespace pyro::workspace {

namespace {

/// The snapshot that the content was last reset to.
std::string
parent_snapshot(const Context& context, const store::WorkspaceRecord& record, const std::string& name) {
  const auto& noted = record.base.snapshot;
  const bool is_there = !noted.empty() && noted != name && context.records.has_snapshot(record.id, noted);
  return is_there ? noted : "baseline";
}

} // namespace

void require_running(const store::WorkspaceRecord& record) {
  if (record.state != store::WorkspaceState::started) {
    throw Error(ErrorCode::bad_state, "the workspace must be in 'started' state before a snapshot")
        .with_hint("`pyro start` starts it");
  }
}

store::LayerStack
capture_running(Context& context, LockedWorkspace& workspace, const std::string& created_by) {
  require_running(workspace.record);
  return capture_content(context, workspace, created_by);
}

store::LayerStack
capture_content(Context& context, LockedWorkspace& workspace, const std::string& created_by) {
  const auto& record = workspace.record;
  const bool is_running = record.state == store::WorkspaceState::started;
  const auto generation = workspace.paths.generation(record.generation);
  const auto parts = store::parts_of_generation(generation, record.host_directories);
  const bool is_elsewhere = is_upper_elsewhere(generation);
  if (is_elsewhere && !is_running) {
    refresh_upper(context, workspace.paths, record);
  }
  store::CaptureOptions options;
  options.mode = store::CaptureMode::copy;
  options.drop = {"dev", "proc", "sys", "run"};
  options.memory = generation + "/capture.json";
  const auto frozen_ms = [&](auto&& work) {
    const auto started = os::now_monotonic();
    work();
    return (os::now_monotonic() - started).count();
  };
  const auto published = os::IdSpace::current().run([&]() -> Json {
    const auto client = is_running ? connect_sandbox(workspace.paths.runtime(), "a snapshot") : nullptr;
    auto staging = context.layers.stage();
    std::int64_t pause = 0;
    store::CaptureReport report;
    {
      if (client && is_elsewhere) {
        mirror_upper(*client, generation, record.host_directories); // most of it while it still runs
      }
      options.written_back = store::write_back_changes(parts, options); // the same
      std::optional<Freeze> freeze;
      if (client) {
        freeze.emplace(*client);
      }
      pause = frozen_ms([&] {
        if (client && is_elsewhere) {
          mirror_upper(*client, generation, record.host_directories);
        }
        report = store::capture_generation(parts, staging, options);
      });
    }
    os::crash_point("snapshot.captured");
    if (report.entries == 0) {
      return Json{{"pause_ms", pause}};
    }
    const auto manifest = context.layers.publish(std::move(staging), {"snapshot", created_by});
    store::remember_capture(options.memory, context.layers.tree(manifest.digest));
    return Json{{"digest", manifest.digest}, {"pause_ms", pause}};
  });
  os::crash_point("snapshot.published");
  store::LayerStack stack{record.layers, record.host_directories};
  if (published.contains("digest")) {
    stack.layers.push_back(get_string(published, "digest"));
  }
  return stack;
}

store::SnapshotRecord record_snapshot(
    Context& context, LockedWorkspace& workspace, const std::string& name, store::SnapshotKind kind,
    const store::LayerStack& stack, const std::string& key) {
  store::SnapshotRecord snapshot;
  snapshot.name = name;
  snapshot.kind = kind;
  snapshot.created_at = os::now_epoch();
  snapshot.layers = stack.layers;
  snapshot.host_directories = stack.host_directories;
  snapshot.key = key;
  std::size_t shared = 0;
  if (kind != store::SnapshotKind::baseline) {
    snapshot.parent = parent_snapshot(context, workspace.record, name);
    const auto parent = context.records.snapshot(workspace.record.id, snapshot.parent);
    while (shared < parent.layers.size() && shared < stack.layers.size()
           && parent.layers[shared] == stack.layers[shared]) {
      ++shared;
    }
  }
  for (; shared < stack.layers.size(); ++shared) {
    const auto manifest = context.layers.open(stack.layers[shared]);
    snapshot.size_bytes += manifest.size_bytes;
    snapshot.entry_count += manifest.entry_count;
  }
  context.records.save_snapshot(workspace.record.id, snapshot);
  os::crash_point("snapshot.recorded");
  return snapshot;
}

bool is_outdated(const store::WorkspaceRecord& record, const store::SnapshotRecord& snapshot) {
  // Else it was made again since, or what it was noted for did not come to its end.
  return !snapshot.outdated_by.empty() && snapshot.outdated_by != snapshot.key
         && std::any_of(record.links.begin(), record.links.end(), [&](const Json& link) {
              return link.is_object() && string_or(link, "key", "") == snapshot.outdated_by;
            });
}

Json describe(const store::WorkspaceRecord& record, const store::SnapshotRecord& snapshot) {
  return {
      {"snapshot_name", snapshot.name},
      {"kind", store::name_of(snapshot.kind)},
      {"created_at", snapshot.created_at},
      {"size_bytes", snapshot.size_bytes},
      {"entry_count", snapshot.entry_count},
      {"digest", snapshot.digest},
      {"outdated", is_outdated(record, snapshot)},
      {"parent", snapshot.parent.empty() ? Json() : Json(snapshot.parent)}};
}

Json to_json_list(const store::WorkspaceRecord& record, const std::vector<store::SnapshotRecord>& snapshots) {
  Json list = Json::array();
  for (const auto& snapshot : snapshots) {
    list.push_back(describe(record, snapshot));
  }
  return list;
}

} // namespace pyro::workspace
