// Names of hosts without a resolver: numbers, localhost, and the sandbox's /etc/hosts.
#pragma once

#include <pyro/os/socket_address.hpp>

#include <string>
#include <vector>

namespace pyro::agent {

/// In the order to try; throws not_found for a name that nobody here knows.
std::vector<os::SocketAddress> resolve_host(const std::string& host, int port);

} // namespace pyro::agent
