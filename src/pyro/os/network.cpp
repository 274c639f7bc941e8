#include "network.hpp"

#include "fd.hpp"
#include "netlink.hpp"

#include <pyro/base/destination.hpp>
#include <pyro/base/error.hpp>

#include <linux/rtnetlink.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <net/if.h>
#include <unistd.h>

namespace pyro::os {

void bring_up_loopback() {
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) {
    throw Error::from_errno(errno, "socket(AF_INET)");
  }
  ifreq request{};
  std::memcpy(request.ifr_name, "lo", 3);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) < 0) {
    throw Error::from_errno(errno, "bring up the loopback interface");
  }
}

void add_blackhole_route(const std::string& ipv4_address) {
  in_addr destination{};
  if (::inet_pton(AF_INET, ipv4_address.c_str(), &destination) != 1) {
    throw Error(ErrorCode::internal, "'{}' is no IPv4 address", ipv4_address);
  }
  rtmsg route{};
  route.rtm_family = AF_INET;
  route.rtm_dst_len = 32;
  route.rtm_table = RT_TABLE_MAIN;
  route.rtm_protocol = RTPROT_STATIC;
  route.rtm_type = RTN_BLACKHOLE;
  NetlinkRequest(RTM_NEWROUTE, NLM_F_CREATE, route)
      .attribute(RTA_DST, destination.s_addr)
      .send(fmt::format("blackhole route to {}", ipv4_address), {EEXIST});
}

void add_default_route(const std::string& gateway) {
  const auto address = destination_from(gateway);
  rtmsg route{};
  route.rtm_family = static_cast<unsigned char>(address.family);
  route.rtm_table = RT_TABLE_MAIN;
  route.rtm_protocol = RTPROT_STATIC;
  route.rtm_type = RTN_UNICAST;
  NetlinkRequest(RTM_NEWROUTE, NLM_F_CREATE, route)
      .attribute(RTA_GATEWAY, address_bytes(address))
      .send(fmt::format("a default route by {}", gateway), {EEXIST});
}

void take_in_everything() {
  const auto loopback = ::if_nametoindex("lo");
  for (const int family : {AF_INET, AF_INET6}) {
    rtmsg route{};
    route.rtm_family = static_cast<unsigned char>(family);
    route.rtm_table = RT_TABLE_MAIN; // in the local one it would come before the networks of the devices
    route.rtm_protocol = RTPROT_STATIC;
    route.rtm_scope = RT_SCOPE_HOST;
    route.rtm_type = RTN_LOCAL;
    NetlinkRequest(RTM_NEWROUTE, NLM_F_CREATE, route)
        .attribute(RTA_OIF, loopback)
        .send("take in packets to every address", {EEXIST, EAFNOSUPPORT, EOPNOTSUPP, EACCES});
  }
}

} // namespace pyro::os
