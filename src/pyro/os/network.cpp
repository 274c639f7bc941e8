#include "network.hpp"

#include "fd.hpp"

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
  struct {
    nlmsghdr header;
    rtmsg route;
    rtattr attribute;
    in_addr destination;
  } request{};

  if (::inet_pton(AF_INET, ipv4_address.c_str(), &request.destination) != 1) {
    throw Error(ErrorCode::internal, "'{}' is no IPv4 address", ipv4_address);
  }
  request.header.nlmsg_len = sizeof(request);
  request.header.nlmsg_type = RTM_NEWROUTE;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_ACK;
  request.route.rtm_family = AF_INET;
  request.route.rtm_dst_len = 32;
  request.route.rtm_table = RT_TABLE_MAIN;
  request.route.rtm_protocol = RTPROT_STATIC;
  request.route.rtm_type = RTN_BLACKHOLE;
  request.attribute.rta_type = RTA_DST;
  request.attribute.rta_len = RTA_LENGTH(sizeof(in_addr));

  const Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!socket || ::send(socket.get(), &request, sizeof(request), 0) < 0) {
    throw Error::from_errno(errno, "rtnetlink");
  }

  struct {
    nlmsghdr header;
    nlmsgerr error;
    std::array<char, 256> rest;
  } answer{};

  if (::recv(socket.get(), &answer, sizeof(answer), 0) < 0) {
    throw Error::from_errno(errno, "rtnetlink answer");
  }
  if (answer.header.nlmsg_type == NLMSG_ERROR && answer.error.error != 0 && answer.error.error != -EEXIST) {
    throw Error::from_errno(-answer.error.error, fmt::format("blackhole route to {}", ipv4_address));
  }
}

} // namespace pyro::os
