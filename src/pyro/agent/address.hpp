// Names of hosts without a resolver: numbers, localhost, and the sandbox's /etc/hosts.
#pragma once

#include <pyro/os/fd.hpp>

#include <sys/socket.h>

#include <string>
#include <vector>

namespace pyro::agent {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

/// In the order to try; throws not_found for a name that nobody here knows.
std::vector<SocketAddress> resolve_host(const std::string& host, int port);

/// A non-blocking socket on its way to the address: connected once it is writable and connect_error() is 0.
os::Fd start_connect(const SocketAddress& address);
/// 0 or the errno of a finished connect.
int connect_error(int socket);

} // namespace pyro::agent
