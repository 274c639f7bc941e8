// Starting a supervisor program and waiting for its word that the sandbox is up.
#pragma once

#include <pyro/backend/launch_spec.hpp>

#include <string>

namespace pyro::backend {

/// Sends the description, waits for the answer. The supervisor lives on when the caller ends. Throws its
/// Error.
Launched start_supervisor(const std::string& program, const LaunchSpec& spec);

} // namespace pyro::backend
