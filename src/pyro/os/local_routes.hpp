// The kernel's table of what a network namespace takes for itself (ip route show table local): read, and
// added to, so that destinations never leave it.
#pragma once

#include <pyro/base/destination.hpp>

#include <vector>

namespace pyro::os {

/// What is delivered on the machine itself: its addresses on every device, loopback, broadcast, anycast. The
/// socket: open_route_netlink().
std::vector<Destination> local_destinations(int socket);

/// Packets to there that would go out by this device are delivered inside, even of sockets that are bound to
/// the device; blackhole routes do not hold those. One that is there already is fine, as is a family that the
/// namespace does not have. Needs CAP_NET_ADMIN.
void keep_inside(int socket, const Destination& destination, int link_index);
/// Takes that back.
void let_out(int socket, const Destination& destination, int link_index);

} // namespace pyro::os
