#include "stream_socket.hpp"

#include <pyro/base/error.hpp>

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>

namespace pyro::gateway {

namespace {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

SocketAddress socket_address(const Destination& address, std::uint16_t port) {
  SocketAddress result;
  if (address.family == AF_INET) {
    auto& four = reinterpret_cast<sockaddr_in&>(result.storage);
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    std::memcpy(&four.sin_addr, address.address.data(), 4);
    result.size = sizeof four;
  } else {
    auto& six = reinterpret_cast<sockaddr_in6&>(result.storage);
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    std::memcpy(&six.sin6_addr, address.address.data(), 16);
    result.size = sizeof six;
  }
  return result;
}

} // namespace

std::optional<std::string> receive(int socket, int flags) {
  std::string bytes(k_most_received, '\0');
  const auto count = ::recv(socket, bytes.data(), bytes.size(), flags);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
    return std::nullopt;
  }
  bytes.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
  return bytes;
}

bool send_front(int socket, std::string& bytes) {
  while (!bytes.empty()) {
    const auto count = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0) {
      return errno == EAGAIN || errno == EINTR;
    }
    bytes.erase(0, static_cast<std::size_t>(count));
  }
  return true;
}

os::Fd begin_connect(const Destination& address, std::uint16_t port) {
  os::Fd socket(::socket(address.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) {
    throw Error::from_errno(errno, "socket(TCP)");
  }
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const auto to = socket_address(address, port);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to.storage), to.size) < 0
      && errno != EINPROGRESS) {
    throw Error::from_errno(errno, "connect");
  }
  return socket;
}

int outcome_of_connect(int socket) {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

void reset_on_close(int socket) {
  const linger at_once{1, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

} // namespace pyro::gateway
