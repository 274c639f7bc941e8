// The network of a sandbox whose only neighbour is its gateway, and sockets in it.
#pragma once

#include "egress.hpp"

#include <pyro/os/fd.hpp>

#include <cstdint>
#include <vector>

namespace pyro::backend {

struct GatewayNetwork {
  os::Fd name_space;           // of the gateway's end
  std::vector<os::Fd> sockets; // its name server's: datagrams, listener; packets of the device; listeners
};

/// A cable from the sandbox's network namespace to a new one in which every address is at home; default
/// routes to it; listeners as of listen_in_gateway_network().
GatewayNetwork
make_gateway_network(const SandboxNamespaces& sandbox, const std::vector<std::uint16_t>& ports);

/// Sockets that listen at each port of every address there.
std::vector<os::Fd> listen_in_gateway_network(
    const SandboxNamespaces& sandbox, const os::Fd& gateway_namespace,
    const std::vector<std::uint16_t>& ports);

} // namespace pyro::backend
