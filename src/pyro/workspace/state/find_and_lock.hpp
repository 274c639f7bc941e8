// One workspace found on disk and locked, or just loaded. Either way it is recovered before anybody relies on
// it: what a killed process left half done is finished or taken back, and a sandbox that the record does not
// speak of is killed.
#pragma once

#include <pyro/os/file_lock.hpp>
#include <pyro/store/journal.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/sandbox/delivered_secrets.hpp>
#include <pyro/workspace/sandbox/sandboxes.hpp>

#include <optional>
#include <string>

namespace pyro::workspace {

struct LockedWorkspace {
  store::WorkspacePaths paths;
  store::WorkspaceRecord record;
  os::ExclusiveLock lock;
  SecretNotes secrets = {}; // what the supervisor of the next sandbox is told
};

/// A workspace (no VM) by id, unique id prefix or name; empty: by the identity key. nullopt: none.
/// Error(invalid_argument) when several match.
std::optional<std::string>
find_workspace(const Context& context, const std::string& wanted, const std::string& identity_key);
/// The same with what its record says.
std::optional<store::WorkspaceRecord>
find_workspace_record(const Context& context, const std::string& wanted, const std::string& identity_key);

/// A VM by id, unique id prefix or name, in the same way.
std::optional<std::string> find_vm(const Context& context, const std::string& wanted);

/// Takes the workspace's lock (events tell for whom it waits), loads and recovers the record.
LockedWorkspace lock_workspace(Context& context, const std::string& id, const std::string& operation);

/// The record as it is now, recovered where the lock is free; else with the state that can be seen without
/// it.
store::WorkspaceRecord load_and_recover(Context& context, const std::string& id);
/// The same of one that was loaded a moment ago.
store::WorkspaceRecord recovered(Context& context, store::WorkspaceRecord record);

/// nullopt: it was removed since its id was read. For those who go through all of them.
std::optional<store::WorkspaceRecord> load_and_recover_if_there(Context& context, const std::string& id);
std::optional<store::WorkspaceRecord>
recovered_if_there(Context& context, const store::WorkspaceRecord& record);

struct Running {
  store::WorkspaceRecord record;
  std::unique_ptr<backend::ControlClient> client;
};

/// A started workspace, and a connection to the very sandbox that the record speaks of: waits for a moment
/// where a reset or apply is just making it anew. Error(bad_state) `must be in 'started' state`. `record`: as
/// it was loaded a moment ago.
Running connect_running(
    Context& context, const std::string& id, const std::string& operation,
    std::optional<store::WorkspaceRecord> record = {});

/// Throws Error(bad_state) `must be in 'started' state`, with its last error.
void require_started(const store::WorkspaceRecord& record, const std::string& operation);

/// Reads content without keeping others from working: again where a reset came in between, so that the result
/// is of one moment's layers. Error(invalid_argument) where the workspace was removed meanwhile.
Json read_consistently(
    Context& context, const std::string& id, const std::string& operation,
    const std::function<Json(const store::WorkspaceRecord&)>& read);

/// Is the supervisor of this record alive?
bool is_running(const store::WorkspaceRecord& record);

/// Is it a one-shot VM (vm_*) and no workspace? Both are records of the same kind, so that locks, recovery
/// and the garbage collection know but one thing.
bool is_vm(const store::WorkspaceRecord& record);

/// Was it destroyed (kept only for undo and its snapshots)?
bool is_destroyed(const store::WorkspaceRecord& record);

/// Nothing is brought back by it any more.
bool is_over(const store::UndoEntry& undo);

/// What killed commands left in the store's staging area goes.
void remove_abandoned(const Context& context);

/// Removes all of a stopped workspace: gone at once for everybody; what a kill leaves of it, the next command
/// removes.
void remove_workspace(const Context& context, const store::WorkspacePaths& paths);

/// The same with whatever runs in it, whatever its record says. False: somebody works on it for longer than a
/// moment.
bool remove_if_free(const Context& context, const std::string& id);

} // namespace pyro::workspace
