#include "fork.hpp"

#include "argument_limits.hpp"
#include "by_hand.hpp"
#include "outdated_snapshot.hpp"
#include "restart_services.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/random.hpp>
#include <pyro/workspace/state/generations.hpp>
#include <pyro/workspace/state/reset.hpp>
#include <pyro/workspace/state/unfinished.hpp>

#include <set>

namespace pyro::workspace {

namespace {

std::string base_name(const ForkRequest& request, const store::WorkspaceRecord& source) {
  constexpr std::size_t k_room = 50; // of the 63 letters of a name, for what is appended
  return request.name.empty() ? source.name.substr(0, k_room) + "-fork" : request.name;
}

} // namespace

void discard_fork(const Context& context, const std::string& id) {
  const store::WorkspacePaths paths(context.base, id);
  if (os::exists(paths.root())) {
    kill_sandbox(paths.runtime());
    remove_workspace(context, paths);
  }
}

ForkSource fork_source(
    Context& context, const Located& located, const LockedWorkspace& workspace, const std::string& snapshot) {
  ForkSource source;
  source.record = workspace.record;
  source.base_key = workspace.record.base.key;
  source.delivered = delivered_secrets_if_any(workspace.paths).value_or(SecretNotes{});
  if (located.project) {
    source.project = located.project;
    choose_ports_anew(source.project->spec);
    source.resolved = resolve_service_inputs(*source.project);
    check_service_limits(*source.project, *source.resolved);
    source.declared.emplace(context, *source.project, values_in_use(source.delivered));
    source.declared->read(secrets_at_run_time(source.project->spec));
  }
  require_baseline(context, located.id);
  if (!snapshot.empty()) {
    source.snapshot = context.records.snapshot(located.id, snapshot);
  } else if (is_destroyed(workspace.record) || workspace.record.generation == 0) {
    throw Error(ErrorCode::bad_state, "the workspace was destroyed")
        .with_hint("one of its snapshots can be forked");
  }
  return source;
}

std::vector<plan::Action> to_take_content(Context& context, LockedWorkspace& workspace, ForkSource& source) {
  return source.snapshot ? to_be_up_to_date(
             context, workspace, *source.snapshot, source.project ? &*source.project : nullptr,
             source.declared ? &*source.declared : nullptr)
                         : std::vector<plan::Action>{};
}

void take_content(Context& context, LockedWorkspace& workspace, ForkSource& source) {
  if (source.snapshot) {
    const auto point = up_to_date(
        context, workspace, *source.snapshot, source.project ? &*source.project : nullptr,
        source.declared ? &*source.declared : nullptr);
    source.delivered.insert(source.delivered.end(), workspace.secrets.begin(), workspace.secrets.end());
    source.stack = {point.layers, point.host_directories};
    source.base_key = point.key.empty() ? source.base_key : point.key;
  } else {
    source.stack = capture_content(context, workspace, "fork");
  }
  source.secrets = kept_secrets(workspace.paths);
}

std::vector<store::WorkspaceRecord> fork_records(
    const ForkSource& source, const std::vector<std::string>& names,
    const std::optional<std::int64_t>& ttl_seconds) {
  std::vector<store::WorkspaceRecord> records;
  for (const auto& name : names) {
    auto record = source.record;
    record.id = os::random_hex(6);
    record.revision = 0;
    record.name = name;
    record.spec = with_names(record.spec, name, record.labels);
    record.checkout.clear();
    record.identity_key = "by-hand-" + os::random_hex(8);
    record.state = store::WorkspaceState::created;
    record.supervisor.reset();
    record.sandbox_pid.reset();
    record.last_error.clear();
    record.generation = 0;
    record.layers.clear();
    record.host_directories.clear();
    record.base = {source.base_key, {}, {}, {}};
    record.synced_baseline.reset();
    record.undo.reset();
    record.created_at = record.last_activity_at = os::now_epoch();
    record.command_count = 0;
    record.reset_count = 0;
    record.last_reset_at.reset();
    record.project_file.clear(); // it belongs to no checkout; only its services are described there
    record.services_file = source.project ? source.project->file : "";
    record.starting = false;
    record.destroyed_at.reset();
    record.notes.clear();
    record.ports.clear();
    record.lifecycle = {};
    record.lifecycle.ttl_ms = ttl_seconds ? *ttl_seconds * 1000 : source.record.lifecycle.ttl_ms;
    record.lifecycle.undo_ms = source.record.lifecycle.undo_ms;
    record.expires_at.reset();
    note_maker(record);
    renew_expiry(record);
    records.push_back(std::move(record));
  }
  return records;
}

std::vector<std::string>
fork_names(const Context& context, const ForkRequest& request, const store::WorkspaceRecord& source) {
  std::set<std::string> taken;
  for (const auto& record : context.records.list()) {
    if (!is_destroyed(record)) {
      taken.insert(record.name);
    }
  }
  std::vector<std::string> names = request.names;
  const auto base = base_name(request, source);
  if (names.empty() && request.count == 1 && !request.name.empty()) {
    names = {request.name};
  }
  for (int number = 1; static_cast<int>(names.size()) < request.count; ++number) {
    auto name = fmt::format("{}-{}", base, number);
    if (!request.name.empty() || !taken.contains(name)) {
      names.push_back(std::move(name));
    }
  }
  for (const auto& name : names) {
    if (!taken.insert(name).second) {
      throw Error(ErrorCode::already_exists, "there is a workspace {} already", name)
          .with_hint("give another name; `pyro ls` lists them");
    }
  }
  return names;
}

Json start_fork(Context& context, ForkSource& source, const std::string& id) {
  auto locked = lock_workspace(context, id, "fork");
  const auto name = locked.record.name;
  try {
    keep_secrets(locked.paths, source.secrets);
    locked.secrets = source.delivered;
    record_snapshot(
        context, locked, "baseline", store::SnapshotKind::baseline, source.stack, source.base_key);
    os::crash_point("fork.baseline");
    renew_expiry(locked.record);
    switch_generation(
        context, locked, "fork", source.stack, 0, KeepUndo::no, "fork", [&](store::WorkspaceRecord& record) {
          if (!source.project) {
            forget_maker(record);
          }
        });
    if (source.project) {
      restart_services(context, *source.project, *source.resolved, *source.declared, locked);
      forget_maker(locked.record);
      context.records.save(locked.record);
    }
  } catch (Error& error) {
    discard_fork(context, id);
    throw error.add_context("while forking " + name);
  }
  const auto& record = locked.record;
  return {
      {"workspace_id", id},
      {"name", name},
      {"state", store::name_of(record.state)},
      {"created_at", record.created_at},
      {"expires_at", record.expires_at ? Json(*record.expires_at) : Json()}};
}

} // namespace pyro::workspace
