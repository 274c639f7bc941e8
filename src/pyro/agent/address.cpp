#include "address.hpp"

#include <pyro/base/error.hpp>

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <optional>
#include <sstream>

namespace pyro::agent {

namespace {

std::optional<SocketAddress> numeric(const std::string& host, int port) {
  SocketAddress address;
  auto number = htons(static_cast<std::uint16_t>(port));
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = number;
    address.length = sizeof(v4);
    std::memcpy(&address.storage, &v4, sizeof(v4));
    return address;
  }
  if (::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = number;
    address.length = sizeof(v6);
    std::memcpy(&address.storage, &v6, sizeof(v6));
    return address;
  }
  return std::nullopt;
}

} // namespace

std::vector<SocketAddress> resolve_host(const std::string& host, int port) {
  if (auto address = numeric(host, port)) {
    return {*address};
  }
  std::vector<SocketAddress> found;
  if (host == "localhost") {
    return {*numeric("127.0.0.1", port), *numeric("::1", port)};
  }
  std::istringstream lines(os::maybe_read_file("/etc/hosts", 1 << 20).value_or(""));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string number;
    words >> number;
    for (std::string name; words >> name;) {
      if (auto address = name == host ? numeric(number, port) : std::nullopt) {
        found.push_back(*address);
      }
    }
  }
  if (found.empty()) {
    throw Error(ErrorCode::not_found, "the host '{}' is not an address and not in /etc/hosts", host);
  }
  return found;
}

os::Fd start_connect(const SocketAddress& address) {
  os::Fd socket(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) {
    throw Error::from_errno(errno, "socket");
  }
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.length) < 0
      && errno != EINPROGRESS) {
    throw Error::from_errno(errno, "connect");
  }
  return socket;
}

int connect_error(int socket) {
  int error = 0;
  socklen_t length = sizeof(error);
  if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length) < 0) {
    return errno;
  }
  return error;
}

} // namespace pyro::agent
