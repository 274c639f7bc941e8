#include "local_routes.hpp"

#include "netlink.hpp"

#include <pyro/base/error.hpp>

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

namespace pyro::os {

namespace {

constexpr std::uint32_t k_priority = 100; // after the kernel's own of the same destination

std::optional<Destination> destination_in(const NetlinkMessage& message) {
  if (message.type != RTM_NEWROUTE) {
    return std::nullopt;
  }
  const auto route = message.header<rtmsg>();
  const bool is_own =
      route.rtm_type == RTN_LOCAL || route.rtm_type == RTN_BROADCAST || route.rtm_type == RTN_ANYCAST;
  if (!is_own || (route.rtm_family != AF_INET && route.rtm_family != AF_INET6)) {
    return std::nullopt;
  }
  Destination found{route.rtm_family, {}, route.rtm_dst_len};
  const auto attributes = message.attributes<rtmsg>();
  if (const auto address = attributes.find(RTA_DST); address != attributes.end()) {
    std::copy_n(
        address->second.begin(), std::min(address->second.size(), found.address.size()),
        found.address.begin());
  }
  return found;
}

NetlinkRequest
route_request(std::uint16_t type, std::uint16_t flags, const Destination& destination, int link_index) {
  rtmsg route{};
  route.rtm_family = static_cast<unsigned char>(destination.family);
  route.rtm_dst_len = static_cast<unsigned char>(destination.prefix);
  route.rtm_table = RT_TABLE_LOCAL;
  route.rtm_protocol = RTPROT_STATIC;
  route.rtm_scope = RT_SCOPE_HOST;
  route.rtm_type = RTN_LOCAL;
  NetlinkRequest request(type, flags, route);
  request.attribute(RTA_DST, address_bytes(destination))
      .attribute(RTA_OIF, static_cast<std::uint32_t>(link_index))
      .attribute(RTA_PRIORITY, k_priority);
  return request;
}

} // namespace

std::vector<Destination> local_destinations(int socket) {
  // The kernel then sends this table only, and not all that a router knows; old ones send all.
  const int strict = 1;
  std::ignore = ::setsockopt(socket, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &strict, sizeof(strict));
  std::vector<Destination> found;
  for (const int family : {AF_INET, AF_INET6}) {
    rtmsg wanted{};
    wanted.rtm_family = static_cast<unsigned char>(family);
    wanted.rtm_table = RT_TABLE_LOCAL;
    const auto answers = NetlinkRequest(RTM_GETROUTE, NLM_F_DUMP, wanted)
                             .send_over(socket, "list local routes", {ENOENT, EAFNOSUPPORT, EOPNOTSUPP});
    for (const auto& answer : answers) {
      if (const auto destination = destination_in(answer)) {
        found.push_back(*destination);
      }
    }
  }
  return found;
}

void keep_inside(int socket, const Destination& destination, int link_index) {
  // EACCES: the device has no IPv6.
  route_request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, destination, link_index)
      .send_over(socket, "keep a destination inside the sandbox", {EEXIST, EAFNOSUPPORT, EOPNOTSUPP, EACCES});
}

void let_out(int socket, const Destination& destination, int link_index) {
  route_request(RTM_DELROUTE, 0, destination, link_index)
      .send_over(socket, "let a destination out of the sandbox", {ESRCH, EAFNOSUPPORT, EOPNOTSUPP, ENODEV});
}

} // namespace pyro::os
