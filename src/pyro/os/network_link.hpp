// Network devices of this process's network namespace: looked at, given an address, switched on, removed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pyro::os {

struct NetworkLink {
  int index = 0;
  std::string name;
  std::string alias; // free text that says whose it is
  bool is_up = false;
};

std::vector<NetworkLink> network_links();
/// nullopt: there is none.
std::optional<NetworkLink> find_network_link(const std::string& name);

void set_link_alias(const std::string& name, const std::string& alias);
void bring_up_link(const std::string& name);
/// "172.29.0.1" with a prefix of 30; one of IPv6 can be used at once (no search for another that has it).
void add_link_address(const std::string& name, const std::string& address, int prefix);
/// Two ends of a cable (veth(4)): `name` here, `peer` in the namespace `peer_namespace`. Both are down.
void make_link_pair(const std::string& name, const std::string& peer, int peer_namespace, std::uint32_t mtu);
/// One that is not there is fine.
void remove_link(const std::string& name);

/// net.ipv4.conf.<device>.forwarding: are packets that come in there passed on? "all" is net.ipv4.ip_forward.
bool forwards_ipv4(const std::string& device);
void set_ipv4_forwarding(const std::string& device, bool on);
/// No IPv6 on this device; fine where the kernel has none.
void disable_ipv6(const std::string& device);

} // namespace pyro::os
