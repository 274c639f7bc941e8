// The cap on what may be active at once (Settings::max_active): sandboxes that run or are about to, and VMs
// that were created and not started yet. Counted under a lock, so that two who come at once cannot both be
// the last.
#pragma once

#include <pyro/workspace/context/context.hpp>

namespace pyro::workspace {

/// PYRO_MAX_ACTIVE, else 256. Throws Error(usage) where it is no positive number.
int max_active_of_environment();

/// Makes the directory of a new workspace or VM and saves its record. Throws Error(bad_state) `max active VMs
/// reached` where there is no room; nothing is made then.
void create_within_limit(const Context& context, store::WorkspaceRecord& record);

/// The same for all of them or none; the records are not synced, since nobody was told of them yet.
void create_within_limit(const Context& context, std::vector<store::WorkspaceRecord>& records);

/// Removes directories without a record: their maker was killed between the two.
void remove_unrecorded(const Context& context);

/// Throws as above where there is no room for so many more beside the workspace `but`.
void require_active_room(const Context& context, const std::string& but, std::size_t more = 1);

/// For one that is stopped and about to start; the caller holds its lock until it is recorded as started.
/// Throws as above.
void start_within_limit(const Context& context, store::WorkspaceRecord& record);

} // namespace pyro::workspace
