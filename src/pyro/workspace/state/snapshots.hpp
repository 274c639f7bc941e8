// Taking, listing and forgetting named snapshots.
#pragma once

#include "find_and_lock.hpp"

#include <pyro/store/layer_stack.hpp>

#include <string>

namespace pyro::workspace {

/// Captures what the workspace holds now. Of a running one the processes stand still only while the writable
/// layer is copied. Returns the stack that brings this content back.
store::LayerStack
capture_content(Context& context, LockedWorkspace& workspace, const std::string& created_by);
/// The same; throws Error(bad_state) `must be in 'started' state` for one that does not run.
store::LayerStack
capture_running(Context& context, LockedWorkspace& workspace, const std::string& created_by);
/// Throws so.
void require_running(const store::WorkspaceRecord& record);

/// Writes the record of a snapshot; sizes are those of the layers that its parent (the snapshot the
/// content was last reset to) does not have.
store::SnapshotRecord record_snapshot(
    Context& context, LockedWorkspace& workspace, const std::string& name, store::SnapshotKind kind,
    const store::LayerStack& stack, const std::string& key);

/// Does the recipe, with the seed that was synced last, make something else at its point by now?
bool is_outdated(const store::WorkspaceRecord& record, const store::SnapshotRecord& snapshot);

Json to_json_list(const store::WorkspaceRecord& record, const std::vector<store::SnapshotRecord>& snapshots);
Json describe(const store::WorkspaceRecord& record, const store::SnapshotRecord& snapshot);

} // namespace pyro::workspace
