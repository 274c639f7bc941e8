// Time to live and idle time: what a file or a request says of them, in the record and at the supervisor.
#pragma once

#include "find_and_lock.hpp"

#include <pyro/spec/spec.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace pyro::workspace {

/// What a file says.
store::Lifecycle lifecycle_of(const spec::Spec& spec);

/// Notes it in the record; the time to live begins anew with `restart` or where it changed. True: something
/// that the supervisor has to know changed.
bool note_lifecycle(store::WorkspaceRecord& record, const store::Lifecycle& lifecycle, bool restart);

/// Tells a running supervisor what the record says. Fine where none runs.
void tell_supervisor(const LockedWorkspace& workspace);

/// Has a sandbox that ended for `reason` ("expired", "idle", …) to be destroyed?
bool ends_in_destruction(const store::WorkspaceRecord& record, const std::string& reason);

/// A record that says started whose supervisor is dead: says the truth, and is not saved. The reason of the
/// end, as exit.json has it, empty where nobody wrote it; nullopt: nothing changed.
std::optional<std::string> note_death(const store::WorkspacePaths& paths, store::WorkspaceRecord& record);

/// In the journal of events, where the supervisor did not get to say how its sandbox ended: it was killed.
void tell_death(const Context& context, const store::WorkspaceRecord& record, const std::string& reason);

/// What brings the content back that the record has now.
store::UndoEntry
undo_entry(const store::WorkspaceRecord& record, const std::string& reason, std::int64_t kept_ms);

/// Marks a stopped workspace as destroyed, kept for undo as long as its lifecycle says. Not saved. Returns
/// the generations that nothing needs any more.
std::vector<int> note_destroyed(store::WorkspaceRecord& record, const std::string& reason);

} // namespace pyro::workspace
