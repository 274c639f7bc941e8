#include "workspace_handle.hpp"

#include "half_made.hpp"
#include "history.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/store/gc.hpp>
#include <pyro/store/layers.hpp>

#include <cerrno>
#include <cstdio>

namespace pyro::workspace {

namespace {

/// An operation that a killed process left half done is finished (its result was recorded) or taken back.
void recover_journal(const store::WorkspacePaths& paths, const store::WorkspaceRecord& record) {
  auto pending = store::Journal::pending(paths.journal());
  if (!pending) {
    return;
  }
  os::crash_point("recover.found");
  const auto target = maybe_int(pending->intent, "generation");
  const bool recorded = target && record.generation == *target;
  if (recorded && forgets_history(pending->operation)) {
    clear_history(paths);
  }
  if (!recorded) {
    kill_sandbox(paths.runtime()); // whatever runs there is not what the record speaks of
    if (target && *target > 0 && *target != record.generation) {
      const bool is_undo = record.undo && record.undo->generation == *target;
      if (!is_undo) {
        remove_trees({paths.generation(static_cast<int>(*target))}, Detached::no);
      }
    }
  }
  os::crash_point("recover.undone");
  store::Journal::resume(paths.journal(), std::move(*pending)).commit();
}

void remove_builds(const store::WorkspacePaths& paths) {
  const auto builds = paths.root() + "/build";
  for (const auto& name : os::list_directory(builds)) {
    kill_sandbox(builds + "/" + name + "/runtime");
    remove_trees({builds + "/" + name}, Detached::no);
  }
}

void remove_stray_generations(const store::WorkspacePaths& paths, const store::WorkspaceRecord& record) {
  std::vector<std::string> stray;
  for (const auto& name : os::list_directory(paths.generations())) {
    const bool is_current = name == std::to_string(record.generation);
    const bool is_undo = record.undo && name == std::to_string(record.undo->generation);
    if (!is_current && !is_undo) {
      stray.push_back(paths.generations() + "/" + name);
    }
  }
  remove_trees(stray, Detached::yes);
}

std::string death_note(const store::WorkspaceRecord& record, const std::string& reason) {
  if (reason == "expired") {
    return "the time to live is over";
  }
  return fmt::format(
      "the backing guest process {} is gone{}", record.sandbox_pid.value_or(0),
      reason.empty() ? "" : ": " + reason);
}

/// A record that says started whose supervisor is dead: says the truth. True: changed.
bool note_death(const store::WorkspacePaths& paths, store::WorkspaceRecord& record) {
  if (record.state != store::WorkspaceState::started || is_running(record)) {
    return false;
  }
  record.state = store::WorkspaceState::stopped;
  record.last_error = death_note(record, end_reason(paths.runtime()));
  record.supervisor.reset();
  record.sandbox_pid.reset();
  return true;
}

void heal(Context& context, const store::WorkspacePaths& paths, store::WorkspaceRecord& record) {
  if (record.layout_version < store::k_layout_version) {
    store::migrate_workspace(paths, record.layout_version);
    context.records.save(record);
  }
  recover_journal(paths, record);
  remove_builds(paths);
  remove_abandoned(context);
  if (note_death(paths, record)) {
    kill_sandbox(paths.runtime()); // removes the dead one's cgroups and socket
    context.records.save(record);
  } else if (record.state != store::WorkspaceState::started) {
    kill_sandbox(paths.runtime());
  }
  if (record.undo && record.undo->expires_at > 0 && record.undo->expires_at < os::now_epoch()) {
    record.undo.reset();
    context.records.save(record);
  }
  remove_stray_generations(paths, record);
}

} // namespace

void remove_abandoned(const Context& context) {
  store::remove_abandoned_staging(context.base);
}

void remove_workspace(const Context& context, const store::WorkspacePaths& paths) {
  const store::Staging staging(context.base);
  if (::rename(paths.root().c_str(), staging.tree().c_str()) != 0) {
    throw Error::from_errno(errno, "remove " + paths.root());
  }
  os::crash_point("workspace.detached");
  remove_trees({staging.tree()}, Detached::no);
}

bool remove_if_free(const Context& context, const std::string& id) {
  constexpr std::chrono::milliseconds k_moment{2000}; // a child that cleans up lets go of the lock soon
  const store::WorkspacePaths paths(context.base, id);
  try {
    const os::ExclusiveLock lock(paths.lock(), "remove", k_moment);
    kill_sandbox(paths.runtime());
    remove_workspace(context, paths);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::locked || !os::exists(paths.root())) {
      return false; // or somebody else removed it meanwhile
    }
    throw;
  }
  return true;
}

bool is_running(const store::WorkspaceRecord& record) {
  return record.supervisor && os::is_alive(*record.supervisor);
}

bool is_vm(const store::WorkspaceRecord& record) {
  return string_or(record.metadata, "kind", "") == "vm";
}

bool is_destroyed(const store::WorkspaceRecord& record) {
  return record.metadata.contains("destroyed_at");
}

namespace {

enum class Kind { workspace, vm };

std::optional<std::string>
find_record(const Context& context, Kind kind, const std::string& wanted, const std::string& identity_key) {
  std::vector<std::string> by_name;
  std::vector<std::string> by_prefix;
  std::optional<Error> refused;
  const auto& text = wanted.empty() ? identity_key : wanted;
  for (const auto& record : context.records.mentioning(text, &refused)) {
    if (is_vm(record) != (kind == Kind::vm) || is_abandoned(record)) {
      continue;
    }
    if (wanted.empty()) {
      if (!identity_key.empty() && record.identity_key == identity_key) {
        return record.id;
      }
      continue;
    }
    if (record.id == wanted) {
      return record.id;
    }
    if (record.name == wanted && !is_destroyed(record)) {
      by_name.push_back(record.id);
    } else if (record.id.rfind(wanted, 0) == 0) {
      by_prefix.push_back(record.id);
    }
  }
  const auto& matches = by_name.empty() ? by_prefix : by_name;
  if (matches.size() > 1) {
    throw Error(
        ErrorCode::invalid_argument, "'{}' names {} {}s", wanted, matches.size(),
        kind == Kind::vm ? "VM" : "workspace")
        .with_hint(fmt::format("use an id: {}", fmt::join(matches, ", ")));
  }
  if (matches.empty() && refused) {
    throw *refused; // it may be the one, and a second of its name or checkout must not be made
  }
  return matches.empty() ? std::nullopt : std::optional(matches.front());
}

} // namespace

std::optional<std::string>
find_workspace(const Context& context, const std::string& wanted, const std::string& identity_key) {
  return find_record(context, Kind::workspace, wanted, identity_key);
}

std::optional<std::string> find_vm(const Context& context, const std::string& wanted) {
  return wanted.empty() ? std::nullopt : find_record(context, Kind::vm, wanted, "");
}

LockedWorkspace lock_workspace(Context& context, const std::string& id, const std::string& operation) {
  const store::WorkspacePaths paths(context.base, id);
  if (!os::exists(paths.record())) {
    throw Error(ErrorCode::invalid_argument, "workspace {} does not exist", id);
  }
  os::ExclusiveLock lock(paths.lock(), operation, context.settings.lock_timeout, [&](const auto& holder) {
    context.emit(
        "waiting", "workspace",
        fmt::format("waiting for {}", holder ? to_string(*holder) : "another process"));
  });
  LockedWorkspace workspace{paths, context.records.load(id), std::move(lock)};
  heal(context, paths, workspace.record);
  return workspace;
}

store::WorkspaceRecord look_at_workspace(Context& context, const std::string& id) {
  const store::WorkspacePaths paths(context.base, id);
  auto record = context.records.load(id);
  const bool dead = record.state == store::WorkspaceState::started && !is_running(record);
  const bool is_old = record.layout_version < store::k_layout_version;
  if (dead || is_old || os::exists(paths.journal())) {
    if (auto lock = os::ExclusiveLock::try_lock(paths.lock(), "status")) {
      record = context.records.load(id);
      heal(context, paths, record);
    } else {
      note_death(paths, record);
    }
  }
  return record;
}

} // namespace pyro::workspace
