// Is there room for what is about to be made? Found before the first action,
// where it is evident: what is counted takes at least that much. What copies
// nothing (a reset, a fork, an undo, a start) is not asked.
#pragma once

#include "resolve_inputs.hpp"

#include <pyro/plan/plan.hpp>

#include <string>

namespace pyro::workspace {

/// For the layers of a plan: the files of its seed that are copied, and what a
/// step needs at least. Throws Error(disk_full) that names the place, what is
/// free there and what is needed.
void require_room(
    const Context& context, const plan::Plan& plan, const ResolvedInputs& resolved,
    const std::string& workspace_directory);

/// For steps or services in a sandbox of their own: below this a sandbox that
/// writes is stopped.
void require_room_for_sandbox(const Context& context, const std::string& address);

} // namespace pyro::workspace
