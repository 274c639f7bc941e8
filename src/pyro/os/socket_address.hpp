// Addresses with a port, as the kernel takes them (sockaddr_in, sockaddr_in6), and connecting to one.
#pragma once

#include "fd.hpp"

#include <pyro/base/destination.hpp>

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>

namespace pyro::os {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  int family() const { return storage.ss_family; }

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }

  std::uint16_t port() const;
  void set_port(std::uint16_t port);
};

/// Of one address, whatever its prefix.
SocketAddress socket_address(const Destination& address, std::uint16_t port);
/// "127.0.0.1", "::1"; nullopt: anything else, as a name.
std::optional<SocketAddress> socket_address_from(const std::string& text, std::uint16_t port);

/// Of a sockaddr_in or a sockaddr_in6, as it is: an IPv4 address that stands in one of IPv6 stays there.
Destination destination_of(const sockaddr& address);

/// getsockname(2)
SocketAddress own_address(int socket);

/// A non-blocking socket of TCP on its way to the address: connected once it is writable and connect_error()
/// is 0. Throws what the system says at once.
Fd start_connect(const SocketAddress& address);
/// 0 or the errno of a finished connect; to be asked once.
int connect_error(int socket);

} // namespace pyro::os
