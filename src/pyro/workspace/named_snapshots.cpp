#include "named_snapshots.hpp"

#include "asked_plan.hpp"

#include <pyro/base/error.hpp>
#include <pyro/store/disk_reserve.hpp>
#include <pyro/store/gc.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/context/live_mounts.hpp>
#include <pyro/workspace/state/kept_memory.hpp>
#include <pyro/workspace/state/locate.hpp>
#include <pyro/workspace/state/reset.hpp>
#include <pyro/workspace/state/snapshots.hpp>

namespace pyro::workspace {

namespace {

/// The layers that a snapshot has and the baseline has not.
std::vector<HexDigest>
own_layers(const store::SnapshotRecord& snapshot, const store::SnapshotRecord& baseline) {
  std::vector<HexDigest> own;
  for (const auto& layer : snapshot.layers) {
    if (std::find(baseline.layers.begin(), baseline.layers.end(), layer) == baseline.layers.end()) {
      own.push_back(layer);
    }
  }
  return own;
}

} // namespace

Json create_snapshot(
    Context& context, const std::string& workspace, const Project& project, const std::string& name,
    DryRun dry_run) {
  context.base.prepare();
  store::check_new_snapshot_name(name);
  const auto located = locate(context, workspace, project);
  const auto store_lock = context.use_store("snapshot");
  auto locked = lock_workspace(context, located.id, "snapshot");
  require_baseline(context, located.id);
  if (context.records.has_snapshot(located.id, name)) {
    throw Error(ErrorCode::already_exists, "the snapshot {} exists already", name)
        .with_hint(fmt::format("`pyro snapshot rm {}` removes it", name));
  }
  require_running(locked.record);
  if (dry_run == DryRun::yes) {
    return not_done(locked.record, {asked_of(plan::Subject::snapshot, name, plan::ActionKind::take)});
  }
  if (const auto kept = live_mounts_kept(locked.record.mounts); !kept.empty()) {
    context.emit("note", "mounts", kept);
  }
  const auto stack = capture_running(context, locked, "snapshots." + name);
  const auto snapshot = record_snapshot(context, locked, name, store::SnapshotKind::named, stack, "");
  return {{"workspace_id", located.id}, {"snapshot", describe(locked.record, snapshot)}};
}

Json list_snapshots(Context& context, const std::string& workspace, const Project& project) {
  context.base.prepare();
  const auto located = locate(context, workspace, project);
  const auto snapshots = context.records.snapshots(located.id);
  return {
      {"workspace_id", located.id},
      {"count", snapshots.size()},
      {"snapshots", to_json_list(context.records.load(located.id), snapshots)}};
}

Json delete_snapshot(
    Context& context, const std::string& workspace, const Project& project, const std::string& name,
    DryRun dry_run) {
  const store::LentReserve reserve(context.base);
  const auto located = locate(context, workspace, project);
  const auto locked = lock_workspace(context, located.id, "snapshot");
  const auto baseline = context.records.snapshot(located.id, "baseline");
  std::vector<HexDigest> layers;
  try {
    layers = own_layers(context.records.snapshot(located.id, name), baseline);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::protocol) { // a damaged record names no layers; prune finds them
      throw;
    }
  }
  store::check_removable_snapshot(name);
  if (dry_run == DryRun::yes) {
    auto answer =
        not_done(locked.record, {asked_of(plan::Subject::snapshot, name, plan::ActionKind::forget)});
    answer.update({{"snapshot_name", name}, {"deleted", false}});
    return answer;
  }
  context.records.remove_snapshot(located.id, name);
  forget_memory(locked.paths, name);
  return {
      {"workspace_id", located.id},
      {"snapshot_name", name},
      {"deleted", true},
      {"freed_bytes", store::release_layers(context.base, layers)}};
}

} // namespace pyro::workspace
