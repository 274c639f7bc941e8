// A way out for a sandbox's network namespace: pasta(1), unprivileged and tied to the life of the supervisor.
#pragma once

#include <pyro/os/fd.hpp>

#include <sys/types.h>

namespace pyro::backend::namespaces {

/// Connects the network namespace of the process `sandbox`; returns when addresses and routes are set. pasta
/// runs as the root of the sandbox's user namespace (nobody on this machine), in a pid namespace of its own.
/// Closing the returned descriptor, or dying, ends it.
os::Fd start_egress(pid_t sandbox);

} // namespace pyro::backend::namespaces
