// Sorts actions so that each comes after those it names in `after`; among those that could come next, the
// chain goes first, then the workspace, services, snapshots, and then by address. Internal to plan/.
#pragma once

#include "plan.hpp"

namespace pyro::plan {

/// Drops edges to actions that do not exist. Throws Error(internal) for a cycle.
std::vector<Action> in_order(std::vector<Action> actions, const std::vector<Link>& chain);

} // namespace pyro::plan
