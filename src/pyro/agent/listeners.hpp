// Whose listener a probe connects to: the service's own? What the kernel tells of it is in
// os/tcp_listeners.hpp.
#pragma once

#include "runtime.hpp"

#include <pyro/os/socket_address.hpp>

#include <string>

namespace pyro::agent {

enum class Listening {
  nobody,    // in this sandbox: the address is another machine's, or nobody listens yet
  as_wanted, // the service itself, or somebody of whom nothing speaks against it
  foreign,   // surely not the service
};

struct Listener {
  Listening who = Listening::nobody;
  std::string name; // foreign: "the service db", "process 7 (nc), which is older than the service,"
};

/// Who accepts what connects to the address, seen from a service of the runtime. A process of no service is
/// foreign where it was there before the service: one that came later may be its own, handed over to another.
Listener find_listener(const Runtime& runtime, const std::string& service, const os::SocketAddress& address);

} // namespace pyro::agent
