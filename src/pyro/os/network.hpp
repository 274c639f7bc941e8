// The little that a sandbox's own network namespace needs done from inside (rtnetlink(7), netdevice(7)).
#pragma once

#include <string>

namespace pyro::os {

/// Brings the loopback interface of this network namespace up.
void bring_up_loopback();

/// Makes an IPv4 host unreachable from this network namespace (a blackhole route). Needs CAP_NET_ADMIN here.
void add_blackhole_route(const std::string& ipv4_address);

} // namespace pyro::os
