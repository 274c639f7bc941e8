// What runs in a sandbox again after it was started on other content: what pyro.yaml declares.
#pragma once

#include "measure.hpp"

#include <pyro/workspace/state/locate.hpp>

namespace pyro::workspace {

/// The declared services, running and ready, with their ports published. Saves the record.
Json bring_services_back(
    Context& context, const LoadedProject& project, const Measured& measured, LockedWorkspace& workspace);
/// The same for the file that was found with the workspace; [] and nothing done without one.
Json bring_services_back(Context& context, const Located& located, LockedWorkspace& workspace);

} // namespace pyro::workspace
