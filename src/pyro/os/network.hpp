// The little that a sandbox's own network namespace needs done from inside (rtnetlink(7), netdevice(7)).
#pragma once

#include <string>

namespace pyro::os {

/// Brings the loopback interface of this network namespace up.
void bring_up_loopback();

/// Makes an IPv4 host unreachable from this network namespace (a blackhole route). Needs CAP_NET_ADMIN here.
void add_blackhole_route(const std::string& ipv4_address);

/// Packets to everywhere go to `gateway`, an address of either family that a device reaches.
void add_default_route(const std::string& gateway);

/// Packets to every address that no other route holds are delivered here, in both families: whoever listens
/// at no address of its own (0.0.0.0, ::) gets them. A family that the namespace does not have is left out.
void take_in_everything();

} // namespace pyro::os
