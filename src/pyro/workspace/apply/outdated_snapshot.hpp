// Snapshots that an apply with seed.on_change: sync left out of date (docs/decisions/0060): whoever uses one
// has it made again first. That one is out of date is told by is_outdated() in state/snapshots.hpp.
#pragma once

#include "resolve_inputs.hpp"

#include <pyro/plan/plan.hpp>
#include <pyro/workspace/context/project_secrets.hpp>
#include <pyro/workspace/state/find_and_lock.hpp>

#include <vector>

namespace pyro::workspace {

/// The snapshot as the recipe makes it of the seed that was synced last: as it is, or made again in a sandbox
/// of its own, recorded, and returned. The workspace is not touched. `project` and `secrets` are null where
/// no file stands behind it. The caller holds the store's shared lock.
store::SnapshotRecord up_to_date(
    Context& context, LockedWorkspace& workspace, const store::SnapshotRecord& snapshot,
    const LoadedProject* project, ProjectSecrets* secrets);

/// What up_to_date() would do, none for one that is not out of date; nothing is done. Throws what it would
/// throw before the first step.
std::vector<plan::Action> to_be_up_to_date(
    Context& context, LockedWorkspace& workspace, const store::SnapshotRecord& snapshot,
    const LoadedProject* project, ProjectSecrets* secrets);

} // namespace pyro::workspace
