#include "stream_socket.hpp"

#include <pyro/os/socket_address.hpp>

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>

namespace pyro::gateway {

std::optional<std::string> receive(int socket, int flags) {
  thread_local std::array<char, k_most_received> t_bytes;
  const auto count = ::recv(socket, t_bytes.data(), t_bytes.size(), flags);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
    return std::nullopt;
  }
  return std::string(t_bytes.data(), count < 0 ? 0 : static_cast<std::size_t>(count));
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
  auto socket = os::start_connect(os::socket_address(address, port));
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

void reset_on_close(int socket) {
  const linger at_once{1, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

} // namespace pyro::gateway
