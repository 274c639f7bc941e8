#include "socket_address.hpp"

#include <pyro/base/error.hpp>

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>

namespace pyro::os {

std::uint16_t SocketAddress::port() const {
  return ntohs(
      family() == AF_INET ? reinterpret_cast<const sockaddr_in&>(storage).sin_port
                          : reinterpret_cast<const sockaddr_in6&>(storage).sin6_port);
}

void SocketAddress::set_port(std::uint16_t port) {
  if (family() == AF_INET) {
    reinterpret_cast<sockaddr_in&>(storage).sin_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in6&>(storage).sin6_port = htons(port);
  }
}

SocketAddress socket_address(const Destination& address, std::uint16_t port) {
  SocketAddress result;
  result.storage.ss_family = static_cast<sa_family_t>(address.family);
  if (address.family == AF_INET) {
    auto& four = reinterpret_cast<sockaddr_in&>(result.storage);
    std::memcpy(&four.sin_addr, address.address.data(), sizeof four.sin_addr);
    result.size = sizeof four;
  } else {
    auto& six = reinterpret_cast<sockaddr_in6&>(result.storage);
    std::memcpy(&six.sin6_addr, address.address.data(), sizeof six.sin6_addr);
    result.size = sizeof six;
  }
  result.set_port(port);
  return result;
}

std::optional<SocketAddress> socket_address_from(const std::string& text, std::uint16_t port) {
  for (const int family : {AF_INET, AF_INET6}) {
    Destination address{family, {}, address_bits(family)};
    if (::inet_pton(family, text.c_str(), address.address.data()) == 1) {
      return socket_address(address, port);
    }
  }
  return std::nullopt;
}

Destination destination_of(const sockaddr& address) {
  const int family = address.sa_family;
  Destination result{family, {}, address_bits(family)};
  if (family == AF_INET) {
    const auto& four = reinterpret_cast<const sockaddr_in&>(address);
    std::memcpy(result.address.data(), &four.sin_addr, sizeof four.sin_addr);
  } else {
    const auto& six = reinterpret_cast<const sockaddr_in6&>(address);
    std::memcpy(result.address.data(), &six.sin6_addr, sizeof six.sin6_addr);
  }
  return result;
}

SocketAddress own_address(int socket) {
  SocketAddress address;
  address.size = sizeof address.storage;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address.storage), &address.size) < 0) {
    throw Error::from_errno(errno, "getsockname");
  }
  return address;
}

Fd start_connect(const SocketAddress& address) {
  Fd socket(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) {
    throw Error::from_errno(errno, "socket(TCP)");
  }
  if (::connect(socket.get(), address.get(), address.size) < 0 && errno != EINPROGRESS) {
    throw Error::from_errno(errno, "connect");
  }
  return socket;
}

int connect_error(int socket) {
  int error = 0;
  socklen_t length = sizeof error;
  return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length) < 0 ? errno : error;
}

} // namespace pyro::os
