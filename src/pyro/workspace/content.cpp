#include "content.hpp"

#include "disk_use.hpp"
#include "inspection.hpp"
#include "loss.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/units.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/store/disk_reserve.hpp>
#include <pyro/store/gc.hpp>
#include <pyro/workspace/apply/observe.hpp>
#include <pyro/workspace/apply/outdated_snapshot.hpp>
#include <pyro/workspace/apply/restart_services.hpp>
#include <pyro/workspace/context/agreement.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/sandbox/failed_step.hpp>
#include <pyro/workspace/sandbox/sandboxes.hpp>
#include <pyro/workspace/state/active.hpp>
#include <pyro/workspace/state/drift.hpp>
#include <pyro/workspace/state/generations.hpp>
#include <pyro/workspace/state/kept_memory.hpp>
#include <pyro/workspace/state/lifecycle.hpp>
#include <pyro/workspace/state/locate.hpp>
#include <pyro/workspace/state/reset.hpp>

namespace pyro::workspace {

namespace {

constexpr std::chrono::milliseconds k_destroy_stop_grace{2'000};

/// What the file says, else the deepest snapshot there is.
std::string reset_target(const Context& context, const Located& located, const std::string& wanted) {
  if (!wanted.empty()) {
    return wanted;
  }
  if (located.project && context.records.has_snapshot(located.id, located.project->spec.reset.to)) {
    return located.project->spec.reset.to;
  }
  return "baseline";
}

Json undo_end(const store::WorkspaceRecord& record) {
  return record.undo && record.undo->expires_at > 0 ? Json(record.undo->expires_at) : Json();
}

/// That it is stopped need not be on record, which goes as well: on a full disk that is what is in the way.
void kill_before_removal(Context& context, LockedWorkspace& workspace) {
  try {
    stop_workspace(context, workspace, k_destroy_stop_grace);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::disk_full) {
      throw;
    }
    kill_sandbox(workspace.paths.runtime());
  }
}

/// Made again where it is out of date.
store::SnapshotRecord current(
    Context& context, LockedWorkspace& workspace, const store::SnapshotRecord& snapshot,
    std::optional<PreparedStart>& prepared) {
  return up_to_date(
      context, workspace, snapshot, prepared ? &prepared->project : nullptr,
      prepared ? &prepared->secrets : nullptr);
}

store::LayerStack stack_of(const store::SnapshotRecord& snapshot) {
  return {snapshot.layers, snapshot.host_directories};
}

/// Where no undo point will be made: what nobody could bring back. Empty: nothing.
std::string loss_of(
    const Context& context, const LockedWorkspace& workspace, plan::ActionKind action,
    const std::string& target) {
  const auto& record = workspace.record;
  if (record.lifecycle.undo_ms > 0 || is_destroyed(record) || record.generation == 0) {
    return ""; // nobody has to look
  }
  const auto loss = plan_of_loss(context, workspace.paths, record, action, target, {});
  const auto count = loss.plan.actions.front().discards.size();
  return is_for_good(record, loss.plan) ? fmt::format(
             "{} of {} would throw {} away for good\n{}", plan::name_of(action), record.name,
             count == 1 ? "one file" : fmt::format("{} files", count), loss.text)
                                        : "";
}

bool is_approved(const ApplyOptions& options, plan::ActionKind action) {
  return options.approve_all || options.allowed.contains(std::string(plan::name_of(action)));
}

/// nullopt: it would lose more than `agreed`, which says afterwards what.
std::optional<Json> reset_within(
    Context& context, const Located& located, const std::string& to, const ApplyOptions& options,
    std::string& agreed) {
  const auto started = os::now_monotonic();
  const auto store_lock = context.use_store("reset");
  auto locked = lock_workspace(context, located.id, "reset");
  const auto target = reset_target(context, located, to);
  require_baseline(context, located.id);
  auto snapshot = context.records.snapshot(located.id, target);
  auto prepared = prepare_start(context, located, locked, stack_of(snapshot));
  if (located.project) {
    locked.record.lifecycle.undo_ms = located.project->spec.reset.undo.count(); // as the file says by now
  }
  if (options.dry_run) {
    return not_done(
        locked.record,
        plan_of_loss(
            context, locked.paths, locked.record, plan::ActionKind::reset, "snapshots." + target, {},
            to_be_up_to_date(
                context, locked, snapshot, prepared ? &prepared->project : nullptr,
                prepared ? &prepared->secrets : nullptr)));
  }
  const bool approved = is_approved(options, plan::ActionKind::reset);
  const auto loss = approved ? "" : loss_of(context, locked, plan::ActionKind::reset, "snapshots." + target);
  if (!loss.empty() && loss != agreed) {
    agreed = loss;
    return std::nullopt;
  }
  snapshot = current(context, locked, snapshot, prepared);
  const bool went_on = reset_to(context, locked, snapshot, KeepUndo::yes);
  const auto services = restart_services(context, prepared, locked);
  if (!went_on && located.project) {
    save_machine_memory(context, locked, located.project->spec, target);
  }
  return Json{
      {"workspace_id", located.id},
      {"name", locked.record.name},
      {"workspace_reset", {{"snapshot_name", target}}},
      {"reset_count", locked.record.reset_count},
      {"services", services},
      {"from_memory", went_on},
      {"undo", locked.record.undo.has_value()},
      {"undo_expires_at", undo_end(locked.record)},
      {"duration_ms", os::took(started)}};
}

} // namespace

Json reset_workspace(
    Context& context, const std::string& workspace, const Project& project, const std::string& to,
    const ApplyOptions& options) {
  const store::LentReserve reserve(context.base);
  const auto located = locate(context, workspace, project, HostUse::taken);
  std::string agreed;
  for (;;) {
    if (auto done = reset_within(context, located, to, options, agreed)) {
      if (!options.dry_run) {
        prune_when_due(context);
      }
      return std::move(*done);
    }
    require_agreement(agreed, options);
  }
}

Json reset_to_snapshot(Context& context, const std::string& workspace, const std::string& snapshot_name) {
  const store::LentReserve reserve(context.base);
  const auto located = locate(context, workspace, {}, HostUse::taken);
  std::string name;
  {
    const auto store_lock = context.use_store("reset");
    auto locked = lock_workspace(context, located.id, "reset");
    require_baseline(context, located.id);
    auto snapshot = context.records.snapshot(located.id, snapshot_name);
    name = snapshot.name;
    auto prepared = prepare_start(context, located, locked, stack_of(snapshot));
    snapshot = current(context, locked, snapshot, prepared);
    const bool went_on = reset_to(context, locked, snapshot, KeepUndo::yes);
    restart_services(context, prepared, locked);
    if (!went_on && located.project) {
      save_machine_memory(context, locked, located.project->spec, name);
    }
  }
  auto document = get_workspace_status(context, located.id, {});
  document["workspace_reset"] = {{"snapshot_name", name}};
  return document;
}

namespace {

/// What is there now goes, and can be brought back again, unless it was destroyed.
Json undo_not_done(const Context& context, const Located& located, const LockedWorkspace& locked) {
  const auto& record = locked.record;
  if (record.state != store::WorkspaceState::started) {
    require_active_room(context, record.id);
  }
  const auto kind = is_destroyed(record) ? plan::ActionKind::create : plan::ActionKind::reset;
  auto actions = start_of_services(located);
  actions.insert(
      actions.begin(),
      loss_action(context, locked.paths, record, kind, fmt::format("before {}", record.undo->reason)));
  return not_done(record, std::move(actions));
}

} // namespace

Json undo_last_change(
    Context& context, const std::string& workspace, const Project& project, DryRun dry_run) {
  const auto began = os::now_monotonic();
  const store::LentReserve reserve(context.base);
  const auto located = locate(context, workspace, project, HostUse::taken);
  const auto store_lock = context.use_store("undo");
  auto locked = lock_workspace(context, located.id, "undo");
  const auto entry = locked.record.undo;
  if (!entry) {
    throw Error(ErrorCode::bad_state, "there is nothing to undo")
        .with_hint(
            "an undo point is made by reset, by an apply that resets or replaces, and by destroy; it is kept "
            "for as long as the file's reset.undo says");
  }
  const bool was_destroyed = is_destroyed(locked.record);
  auto prepared = prepare_start(context, located, locked, std::nullopt);
  if (dry_run == DryRun::yes) {
    return undo_not_done(context, located, locked);
  }
  switch_generation(
      context, locked, "undo", {entry->layers, entry->host_directories}, entry->generation,
      was_destroyed ? KeepUndo::no : KeepUndo::yes, "undo");
  const auto services = restart_services(context, prepared, locked);
  return {{"workspace_id", located.id}, {"name", locked.record.name},
          {"undone", entry->reason},    {"undo", locked.record.undo.has_value()},
          {"services", services},       {"duration_ms", os::took(began)}};
}

namespace {

/// Its record stays, for undo and its snapshots. nullopt: it would lose more than `agreed`, which says
/// afterwards what.
std::optional<Json>
destroy_within(Context& context, const Located& located, const ApplyOptions& options, std::string& agreed) {
  const auto began = os::now_monotonic();
  auto locked = lock_workspace(context, located.id, "destroy");
  auto& record = locked.record;
  if (located.declared) {
    record.lifecycle.undo_ms = located.declared->reset.undo.count(); // as the file says by now
  }
  if (options.dry_run) {
    return not_done(record, plan_of_loss(context, locked.paths, record, plan::ActionKind::destroy, "", {}));
  }
  const bool approved = is_approved(options, plan::ActionKind::destroy);
  const auto loss = approved ? "" : loss_of(context, locked, plan::ActionKind::destroy, "");
  if (!loss.empty() && loss != agreed) {
    agreed = loss;
    return std::nullopt;
  }
  stop_workspace(context, locked, k_destroy_stop_grace);
  const bool was_there = !is_destroyed(record);
  if (was_there) {
    std::vector<std::string> unused;
    for (const auto generation : note_destroyed(record, "destroy")) {
      unused.push_back(locked.paths.generation(generation));
    }
    context.records.save(record);
    remove_generations(context, unused, Detached::yes);
  }
  return Json{
      {"workspace_id", located.id},
      {"name", record.name},
      {"deleted", true},
      {"snapshots_kept", true},
      {"changed", was_there},
      {"undo", record.undo.has_value()},
      {"undo_expires_at", undo_end(record)},
      {"duration_ms", os::took(began)}};
}

/// Files and snapshots, none of which undo brings back.
AskedPlan loss_with_snapshots(Context& context, const std::string& id) {
  const auto record = load_and_recover(context, id);
  std::vector<std::string> names;
  for (const auto& snapshot : context.records.snapshots(id)) {
    if (snapshot.kind != store::SnapshotKind::baseline) {
      names.push_back(snapshot.name);
    }
  }
  return plan_of_loss(
      context, store::WorkspacePaths(context.base, id), record, plan::ActionKind::destroy, "", names);
}

/// Also of a damaged one, of which nobody can tell what is in it: to destroy that is the way out.
std::string text_of_loss_with_snapshots(Context& context, const std::string& id) {
  try {
    return loss_with_snapshots(context, id).text;
  } catch (const Error& error) {
    return fmt::format("What was changed inside cannot be told: {}\n", error.what());
  }
}

Json destroy_for_good(Context& context, const Located& located) {
  const auto began = os::now_monotonic();
  auto locked = lock_workspace(context, located.id, "destroy");
  kill_before_removal(context, locked);
  remove_workspace(context, locked.paths);
  return {
      {"workspace_id", located.id},
      {"name", locked.record.name},
      {"deleted", true},
      {"snapshots_kept", false},
      {"changed", true},
      {"undo", false},
      {"duration_ms", os::took(began)}};
}

} // namespace

Json destroy_workspace(
    Context& context, const std::string& workspace, const Project& project, const ApplyOptions& options,
    bool remove_snapshots) {
  const store::LentReserve reserve(context.base);
  const auto located = locate(context, workspace, project);
  const auto record = context.records.load(located.id);
  if (options.dry_run && remove_snapshots) {
    return not_done(record, loss_with_snapshots(context, located.id));
  }
  if (!record.identity_key.empty() && !options.dry_run) {
    FailedStepRoom(context, record.identity_key).forget();
  }
  if (remove_snapshots) {
    if (!is_approved(options, plan::ActionKind::destroy)) {
      require_agreement(
          fmt::format(
              "destroy {} with all its snapshots: nothing of it can be brought back\n{}", record.name,
              text_of_loss_with_snapshots(context, located.id)),
          options);
    }
    auto done = destroy_for_good(context, located);
    prune_when_due(context);
    return done;
  }
  std::string agreed;
  for (;;) {
    if (auto done = destroy_within(context, located, options, agreed)) {
      if (!options.dry_run) {
        prune_when_due(context);
      }
      return std::move(*done);
    }
    require_agreement(agreed, options);
  }
}

} // namespace pyro::workspace
