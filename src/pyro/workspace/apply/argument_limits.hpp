// What a file says that no kernel would take as arguments and variables of a program: found before anything
// is done, and named.
#pragma once

#include "resolve_inputs.hpp"

#include <pyro/workspace/context/project.hpp>

namespace pyro::workspace {

/// Both throw Error(invalid_argument) at the place of the step or service.
void check_step_limits(const spec::Spec& spec);
void check_service_limits(const LoadedProject& project, const ResolvedInputs& resolved);

} // namespace pyro::workspace
