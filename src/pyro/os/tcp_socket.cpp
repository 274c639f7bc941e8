#include "tcp_socket.hpp"

#include "socket_address.hpp"
#include "tcp_listeners.hpp"

#include <pyro/base/error.hpp>

#include <sys/socket.h>

#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <tuple>

namespace pyro::os {

namespace {

SocketAddress address_of(const std::string& text, int port) {
  const auto address = socket_address_from(text, static_cast<std::uint16_t>(port));
  if (!address) {
    throw Error(ErrorCode::invalid_argument, "'{}' is no IP address to listen at", text);
  }
  return *address;
}

Fd bind_tcp(const std::string& text, int port) {
  const auto address = address_of(text, port);
  Fd socket(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) {
    throw Error::from_errno(errno, "socket(TCP)");
  }
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (::bind(socket.get(), address.get(), address.size) < 0) {
    const int error_number = errno;
    if (error_number == EADDRINUSE) {
      const auto holder = listener_of_tcp(text, port);
      throw Error(
          ErrorCode::already_exists, "port {} of {} is taken by {}", port, text,
          holder.empty() ? "another program" : holder)
          .with_hint("publish another port, or just `\"<port>\"` for a free one");
    }
    throw Error::from_errno(error_number, fmt::format("bind {}:{}", text, port));
  }
  return socket;
}

} // namespace

void check_listen_tcp(const std::string& address, int port) {
  std::ignore = bind_tcp(address, port);
}

std::string listener_of_tcp(const std::string& address, int port) {
  const auto holders = holders_of(listening_sockets(address_of(address, port).storage));
  return holders.empty() ? "" : name_of_process(holders.front());
}

Fd listen_tcp(const std::string& text, int port) {
  auto socket = bind_tcp(text, port);
  if (::listen(socket.get(), 64) < 0) {
    throw Error::from_errno(errno, fmt::format("listen at {}:{}", text, port));
  }
  return socket;
}

int port_of(int listener) {
  return own_address(listener).port();
}

std::optional<Fd> accept_tcp(int listener) {
  const int socket = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (socket < 0) {
    return std::nullopt; // none waiting, or it went away again
  }
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return Fd(socket);
}

} // namespace pyro::os
