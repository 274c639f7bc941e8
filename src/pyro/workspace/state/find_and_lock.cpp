#include "find_and_lock.hpp"

#include "cut_off.hpp"
#include "disk_reserve.hpp"
#include "history.hpp"
#include "lifecycle.hpp"
#include "replaced_baseline.hpp"
#include "unfinished.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/log.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/store/gc.hpp>
#include <pyro/workspace/sandbox/disk_quota.hpp>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <thread>

namespace pyro::workspace {

namespace {

/// An operation that a killed process left half done is finished (its result was recorded) or taken back.
void recover_journal(
    const Context& context, const store::WorkspacePaths& paths, const store::WorkspaceRecord& record) {
  auto pending = store::Journal::pending(paths.journal());
  if (!pending) {
    return;
  }
  os::crash_point("recover.found");
  const auto target = maybe_int(pending->intent, "generation");
  const bool recorded = target && record.generation == *target;
  if (recorded && forgets_history(pending->operation)) {
    clear_history(paths, record, pending->operation);
  }
  if (!recorded) {
    kill_sandbox(paths.runtime()); // whatever runs there is not what the record speaks of
    if (target && *target > 0 && *target != record.generation) {
      const bool is_undo = record.undo && record.undo->generation == *target;
      if (!is_undo) {
        remove_generations(context, {paths.generation(static_cast<int>(*target))}, Detached::no);
      }
    }
  }
  os::crash_point("recover.undone");
  store::Journal::close(paths.journal());
}

void remove_builds(const store::WorkspacePaths& paths) {
  const auto builds = paths.root() + "/build";
  for (const auto& name : os::list_directory(builds)) {
    kill_sandbox(builds + "/" + name + "/runtime");
    remove_trees({builds + "/" + name}, Detached::no);
  }
}

void remove_stray_generations(
    const Context& context, const store::WorkspacePaths& paths, const store::WorkspaceRecord& record) {
  std::vector<std::string> stray;
  for (const auto& name : os::list_directory(paths.generations())) {
    const bool is_current = name == std::to_string(record.generation) && !is_destroyed(record);
    const bool is_undo = record.undo && name == std::to_string(record.undo->generation);
    if (!is_current && !is_undo) {
      stray.push_back(paths.generations() + "/" + name);
    }
  }
  remove_generations(context, stray, Detached::yes);
}

/// What everybody notices who looks: where it cannot be written down, the next one notices it again, and this
/// one's operation goes on.
void save_noticed(const Context& context, store::WorkspaceRecord& record) {
  try {
    with_disk_reserve(context, [&] { context.records.save(record); });
  } catch (const Error& error) {
    if (error.code() != ErrorCode::disk_full) {
      throw;
    }
    log::debug("not noted: {}", error.what());
  }
}

void recover(Context& context, const store::WorkspacePaths& paths, store::WorkspaceRecord& record) {
  if (record.layout_version < store::k_layout_version) {
    store::migrate_workspace(paths, record.layout_version);
    context.records.save(record);
  }
  recover_journal(context, paths, record);
  recover_baseline(context, paths, record);
  store::remove_old_temporaries(paths);
  remove_builds(paths);
  remove_abandoned(context);
  if (const auto reason = note_death(paths, record)) {
    kill_sandbox(paths.runtime()); // removes the dead one's cgroups and socket
    save_noticed(context, record);
    tell_death(context, record, *reason);
  } else if (record.state != store::WorkspaceState::started) {
    kill_sandbox(paths.runtime());
  }
  finish_ended(paths.runtime());
  if (record.undo && is_over(*record.undo)) {
    record.undo.reset();
    save_noticed(context, record);
  }
  remove_stray_generations(context, paths, record);
}

} // namespace

void remove_abandoned(const Context& context) {
  store::remove_abandoned_staging(context.base);
}

namespace {

/// A sandbox that its record knows nothing of: whoever started it was killed before it was recorded.
bool has_unknown_sandbox(const store::WorkspacePaths& paths, const store::WorkspaceRecord& record) {
  return record.state != store::WorkspaceState::started
         && os::exists(paths.runtime() + "/kernel_objects.json");
}

} // namespace

void remove_workspace(const Context& context, const store::WorkspacePaths& paths) {
  std::optional<store::Staging> place;
  with_disk_reserve(context, [&] { place.emplace(context.base); });
  const auto& staging = *place;
  if (::rename(paths.root().c_str(), staging.tree().c_str()) != 0) {
    throw Error::from_errno(errno, "remove " + paths.root());
  }
  os::crash_point("workspace.detached");
  remove_trees({staging.tree()}, Detached::no);
  release_quotas(context.base);
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
  return record.vm.has_value();
}

bool is_destroyed(const store::WorkspaceRecord& record) {
  return record.destroyed_at.has_value();
}

bool is_over(const store::UndoEntry& undo) {
  return undo.expires_at > 0 && undo.expires_at <= os::now_epoch();
}

namespace {

os::ExclusiveLock
lock_of(const Context& context, const store::WorkspacePaths& paths, const std::string& operation) {
  try {
    return {paths.lock(), operation, context.settings.lock_timeout, context.tell_waiting("workspace")};
  } catch (const Error&) {
    if (!os::exists(paths.record())) {
      throw Error(
          ErrorCode::invalid_argument, "workspace {} does not exist",
          std::filesystem::path(paths.root()).filename().string());
    }
    throw;
  }
}

/// nullopt: somebody holds it, or it is just being removed.
std::optional<os::ExclusiveLock> try_lock_of(const store::WorkspacePaths& paths) {
  try {
    return os::ExclusiveLock::try_lock(paths.lock(), "status");
  } catch (const Error&) {
    if (os::exists(paths.record())) {
      throw;
    }
    return std::nullopt;
  }
}

constexpr std::chrono::milliseconds k_restart_patience{15'000}; // for a sandbox that is just being made anew
constexpr std::chrono::milliseconds k_pause{5};

} // namespace

LockedWorkspace lock_workspace(Context& context, const std::string& id, const std::string& operation) {
  const store::WorkspacePaths paths(context.base, id);
  if (!os::exists(paths.record())) {
    throw Error(ErrorCode::invalid_argument, "workspace {} does not exist", id);
  }
  auto lock = lock_of(context, paths, operation);
  LockedWorkspace workspace{paths, context.records.load(id), std::move(lock)};
  context.current.note_workspace(id, workspace.record.name);
  recover(context, paths, workspace.record);
  return workspace;
}

namespace {

/// Says started, and its sandbox is gone.
bool is_dead(const store::WorkspaceRecord& record) {
  return record.state == store::WorkspaceState::started && !is_running(record);
}

/// `dead`: is_dead() of it.
store::WorkspaceRecord recovered(Context& context, store::WorkspaceRecord record, bool dead) {
  const store::WorkspacePaths paths(context.base, record.id);
  const bool is_old = record.layout_version < store::k_layout_version;
  if (dead || is_old || os::exists(paths.journal()) || has_interrupted_baseline(paths)
      || has_unknown_sandbox(paths, record)) {
    if (auto lock = try_lock_of(paths)) {
      record = context.records.load(record.id);
      recover(context, paths, record);
    } else if (dead) {
      note_death(paths, record);
      if (const auto holder = os::lock_holder(paths.lock())) {
        record.last_error = fmt::format("{} is at work on it", to_string(*holder));
      }
    }
  }
  return record;
}

/// nullopt instead of an Error where its record is gone.
std::optional<store::WorkspaceRecord>
if_there(const Context& context, const std::string& id, const std::function<store::WorkspaceRecord()>& load) {
  try {
    return load();
  } catch (const Error&) {
    if (os::exists(store::WorkspacePaths(context.base, id).record())) {
      throw;
    }
    return std::nullopt;
  }
}

} // namespace

store::WorkspaceRecord recovered(Context& context, store::WorkspaceRecord record) {
  const bool dead = is_dead(record);
  return recovered(context, std::move(record), dead);
}

store::WorkspaceRecord load_and_recover(Context& context, const std::string& id) {
  return recovered(context, context.records.load(id));
}

std::optional<store::WorkspaceRecord> load_and_recover_if_there(Context& context, const std::string& id) {
  return if_there(context, id, [&] { return load_and_recover(context, id); });
}

std::optional<store::WorkspaceRecord>
recovered_if_there(Context& context, const store::WorkspaceRecord& record) {
  return if_there(context, record.id, [&] { return recovered(context, record); });
}

Running connect_running(
    Context& context, const std::string& id, const std::string& operation,
    std::optional<store::WorkspaceRecord> known) {
  const store::WorkspacePaths paths(context.base, id);
  const auto deadline = os::now_monotonic() + std::min(context.settings.lock_timeout, k_restart_patience);
  while (true) {
    const bool may_wait = os::now_monotonic() < deadline;
    auto record = known ? std::move(*known) : context.records.load(id);
    known.reset();
    const bool dead = is_dead(record);
    if (may_wait && dead && os::lock_holder(paths.lock())) { // somebody is making another
      context.check_interrupted();
      std::this_thread::sleep_for(k_pause);
      continue;
    }
    record = recovered(context, std::move(record), dead);
    context.current.note_workspace(id, record.name);
    require_started(record, operation);
    auto client = backend::ControlClient::connect(paths.control_socket());
    // Between a look and the next the sandbox may have become another one.
    if (client && record.supervisor && client->peer() == record.supervisor->pid) {
      client->on_cut_off([&context, paths, record] { return what_became_of(context, paths, record); });
      return {std::move(record), std::move(client)};
    }
    if (!may_wait || !os::lock_holder(paths.lock())) {
      const auto now = context.records.load(id);
      if (!may_wait || (now.revision == record.revision && !client)) {
        return {std::move(record), connect_sandbox(paths.runtime(), operation)};
      }
    }
    std::this_thread::sleep_for(k_pause);
  }
}

void require_started(const store::WorkspaceRecord& record, const std::string& operation) {
  if (record.state == store::WorkspaceState::started) {
    return;
  }
  throw Error(
      ErrorCode::bad_state, "the workspace must be in 'started' state before {}{}", operation,
      record.last_error.empty() ? "" : " (" + record.last_error + ")")
      .with_hint("`pyro apply` or `pyro start` starts it");
}

Json read_consistently(
    Context& context, const std::string& id, const std::string& operation,
    const std::function<Json(const store::WorkspaceRecord&)>& read) {
  constexpr int k_attempts = 5;
  for (int attempt = 0; attempt < k_attempts; ++attempt) {
    const auto record = load_and_recover(context, id);
    std::optional<Error> failure;
    Json result;
    try {
      result = read(record);
    } catch (const Error& error) {
      failure = error;
    }
    const auto after = context.records.load(id);
    const bool is_same = after.generation == record.generation && after.reset_count == record.reset_count;
    if (is_same && failure) {
      throw *failure;
    }
    if (is_same) {
      return result;
    }
  }
  const auto locked = lock_workspace(context, id, operation);
  return read(locked.record);
}

} // namespace pyro::workspace
