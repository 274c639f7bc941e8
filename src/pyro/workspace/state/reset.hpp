// A full reset: the sandbox is not repaired but made anew on the layers of a snapshot.
#pragma once

#include "generations.hpp"

namespace pyro::workspace {

/// What every reset changes in the record, an apply's as well.
void note_reset(store::WorkspaceRecord& record);

/// The time to live begins anew. Before a start: the supervisor keeps to what it is told then.
void renew_expiry(store::WorkspaceRecord& record);

/// Ends started. Where the sandbox cannot be started: throws, and the workspace is stopped, on the content
/// that it had, with `last_error` saying why; reset_count and snapshots are as they were. Services are the
/// caller's business; true: they run as they did when the snapshot was taken, since its memory was kept.
bool reset_to(
    Context& context, LockedWorkspace& workspace, const store::SnapshotRecord& snapshot, KeepUndo keep_undo);

/// Throws Error(bad_state) `requires a baseline snapshot` where its record is missing or damaged.
void require_baseline(const Context& context, const std::string& id);

} // namespace pyro::workspace
