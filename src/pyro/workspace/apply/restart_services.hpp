// What runs in a sandbox again after it was started on other content: what pyro.yaml declares.
#pragma once

#include "resolve_inputs.hpp"

#include <pyro/workspace/state/locate.hpp>

namespace pyro::workspace {

/// The declared services, running and ready, with their ports published. Saves the record.
Json restart_services(
    Context& context, const LoadedProject& project, const ResolvedInputs& resolved,
    LockedWorkspace& workspace);
/// The same for the file that was found with the workspace; [] and nothing done without one.
Json restart_services(Context& context, const Located& located, LockedWorkspace& workspace);

} // namespace pyro::workspace
