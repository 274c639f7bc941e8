// Starts the virtual machine of a workspace: from what every backend is told (LaunchSpec) to a machine whose
// agent is about to begin its session. Called only in the supervisor.
#pragma once

#include "launcher.hpp"

#include <pyro/backend/launch_spec.hpp>

namespace pyro::backend::firecracker {

Machine launch(const LaunchSpec& spec);

} // namespace pyro::backend::firecracker
