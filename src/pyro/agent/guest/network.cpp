#include "network.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/network.hpp>

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>

namespace pyro::agent {

namespace {

constexpr const char* k_card = "eth0";
constexpr const char* k_netmask = "255.255.255.0";
constexpr const char* k_gateway = "10.0.2.2";
constexpr const char* k_cloud_metadata = "169.254.169.254";

sockaddr socket_address(const std::string& text) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  if (::inet_pton(AF_INET, text.c_str(), &address.sin_addr) != 1) {
    throw Error(ErrorCode::protocol, "'{}' is no IPv4 address", text);
  }
  sockaddr general{};
  std::memcpy(&general, &address, sizeof(address));
  return general;
}

void control(int socket, unsigned long request, ifreq& argument, const char* what) {
  if (::ioctl(socket, request, &argument) < 0) {
    throw Error::from_errno(errno, fmt::format("{} of {}", what, k_card));
  }
}

} // namespace

void bring_up_network(const protocol::GuestEnter& enter) {
  const bool given = !enter.address.empty();
  const os::Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) {
    throw Error::from_errno(errno, "socket(AF_INET)");
  }
  ifreq request{};
  std::strncpy(request.ifr_name, k_card, sizeof(request.ifr_name) - 1);
  request.ifr_addr = socket_address(given ? enter.address : protocol::k_user_network_address);
  control(socket.get(), SIOCSIFADDR, request, "set the address");
  request.ifr_netmask = socket_address(given ? enter.netmask : k_netmask);
  control(socket.get(), SIOCSIFNETMASK, request, "set the netmask");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  control(socket.get(), SIOCSIFFLAGS, request, "bring up the link");
  rtentry route{};
  route.rt_dst = socket_address("0.0.0.0");
  route.rt_genmask = socket_address("0.0.0.0");
  route.rt_gateway = socket_address(given ? enter.gateway : k_gateway);
  route.rt_flags = RTF_UP | RTF_GATEWAY;
  if (::ioctl(socket.get(), SIOCADDRT, &route) < 0 && errno != EEXIST) {
    throw Error::from_errno(errno, "add the default route");
  }
  os::add_blackhole_route(k_cloud_metadata);
}

} // namespace pyro::agent
