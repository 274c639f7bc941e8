// A way out for a sandbox's network namespace: pasta(1), unprivileged and tied to the life of the supervisor.
#pragma once

#include <pyro/os/fd.hpp>

#include <sys/types.h>

namespace pyro::backend {

struct SandboxNamespaces {
  os::Fd user;
  os::Fd network;
};

/// To be opened right after clone3: once the process has changed its ids they are out of reach.
SandboxNamespaces open_namespaces(pid_t sandbox);

/// Of a child that is about to work there or to execute something: the calling process becomes root of that
/// user namespace, thus nobody on this machine where root made it.
void become_root_of(const os::Fd& user_namespace);

/// Connects the network namespace; returns when addresses and routes are set, and nothing of this machine can
/// be reached by them (egress_guard.hpp). pasta runs as the root of the
/// sandbox's user namespace (nobody on this machine), in a pid namespace of its own. Closing the returned
/// descriptor, or dying, ends it.
os::Fd start_egress(const SandboxNamespaces& namespaces);

} // namespace pyro::backend
