// A way into the network for a program of this machine that a stranger sends about: a namespace of its own,
// with the way out and the guard that sandboxes have (egress.hpp, egress_guard.hpp). It reaches the world and
// the networks around this machine, but this machine itself by none of its addresses.
#pragma once

#include "egress.hpp"

#include <pyro/os/fd.hpp>
#include <pyro/os/seclusion.hpp>

#include <string>

namespace pyro::backend {

class GuardedNetwork {
public:
  /// Error(unavailable) where this machine cannot have one. It ends with this object or this process.
  GuardedNetwork();

  /// For os::Command. Writes what it needs into `directory`, which must outlive the process.
  os::Seclusion seclusion(const std::string& directory) const;

private:
  SandboxNamespaces m_namespaces;
  os::Fd m_tether;
};

} // namespace pyro::backend
