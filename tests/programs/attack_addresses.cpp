// D. This machine by its addresses. Arguments: PORT ADDRESS…; a service of the host listens on all of them,
// for TCP and UDP, and counts. A datagram that is sent proves nothing here: the host says whether it came.
#include "attack.hpp"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <cstdlib>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

union Address {
  sockaddr any;
  sockaddr_in four;
  sockaddr_in6 six;
};

/// All but lo; "" stands for no choice of a device.
std::vector<std::string> devices() {
  std::vector<std::string> names{""};
  if (auto* list = ::if_nameindex()) {
    for (auto* one = list; one->if_index != 0; ++one) {
      if (std::string(one->if_name) != "lo") {
        names.emplace_back(one->if_name);
      }
    }
    ::if_freenameindex(list);
  }
  return names;
}

/// The scope of a link-local address is the device here, whatever it is called outside.
Address address_of(const std::string& text, int port, const std::string& device, socklen_t& size) {
  Address address{};
  const auto bare = text.substr(0, text.find('%'));
  if (bare.find(':') == std::string::npos) {
    address.four.sin_family = AF_INET;
    address.four.sin_port = htons(static_cast<std::uint16_t>(port));
    ::inet_pton(AF_INET, bare.c_str(), &address.four.sin_addr);
    size = sizeof address.four;
    return address;
  }
  address.six.sin6_family = AF_INET6;
  address.six.sin6_port = htons(static_cast<std::uint16_t>(port));
  ::inet_pton(AF_INET6, bare.c_str(), &address.six.sin6_addr);
  if (IN6_IS_ADDR_LINKLOCAL(&address.six.sin6_addr)) {
    address.six.sin6_scope_id = ::if_nametoindex(device.empty() ? devices().back().c_str() : device.c_str());
  }
  size = sizeof address.six;
  return address;
}

/// A socket bound to the device asks no routing table that blackholes lie in.
int made(int family, int type, const std::string& device) {
  const int one = ::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (one >= 0 && !device.empty()
      && ::setsockopt(
             one, SOL_SOCKET, SO_BINDTODEVICE, device.c_str(), static_cast<socklen_t>(device.size() + 1))
             != 0) {
    ::close(one);
    return -1;
  }
  return one;
}

int connect_to(const Address& to, socklen_t size, const std::string& device) {
  const int one = made(to.any.sa_family, SOCK_STREAM, device);
  if (one < 0) {
    return -1;
  }
  int result = ::connect(one, &to.any, size);
  if (result != 0 && errno == EINPROGRESS) {
    pollfd wait{one, POLLOUT, 0};
    int code = ETIMEDOUT;
    socklen_t length = sizeof code;
    if (::poll(&wait, 1, 1000) == 1) {
      ::getsockopt(one, SOL_SOCKET, SO_ERROR, &code, &length);
    }
    errno = code;
    result = code == 0 ? 0 : -1;
  }
  const int keep = errno;
  ::close(one);
  errno = keep;
  return result;
}

} // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: attack_addresses PORT ADDRESS…\n");
    return 64;
  }
  const int port = std::atoi(argv[1]);
  const std::initializer_list<int> k_unreachable{ENETUNREACH, EHOSTUNREACH, ECONNREFUSED,  EPERM,  EACCES,
                                                 ENETDOWN,    ENODEV,       EADDRNOTAVAIL, EINVAL, ETIMEDOUT};
  for (int index = 2; index < argc; ++index) {
    for (const auto& device : devices()) {
      socklen_t size = 0;
      const auto to = address_of(argv[index], port, device, size);
      const auto name = std::string(argv[index]) + (device.empty() ? "" : "_by_" + device);
      attack::refused("tcp." + name, connect_to(to, size, device), k_unreachable);
      const int datagram = made(to.any.sa_family, SOCK_DGRAM, device);
      if (datagram >= 0) {
        const auto sent = ::sendto(datagram, "x", 1, 0, &to.any, size);
        attack::blocked("udp." + name, sent == 1 ? "sent; the host counts" : attack::error_name(errno));
        ::close(datagram);
      }
    }
  }
  return attack::done();
}
