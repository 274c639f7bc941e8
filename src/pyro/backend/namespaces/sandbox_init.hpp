// What the first process of a sandbox does between clone3 and the agent.
#pragma once

#include <pyro/backend/launch_spec.hpp>
#include <pyro/os/fd.hpp>

namespace pyro::backend::namespaces {

/// Never returns: ends in the agent, or reports the Error on `control` and exits.
[[noreturn]] void run_sandbox_init(const LaunchSpec& spec, os::Fd control, os::Fd channel);

} // namespace pyro::backend::namespaces
