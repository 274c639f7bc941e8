#include "network_link.hpp"

#include "fd.hpp"
#include "netlink.hpp"

#include <pyro/base/destination.hpp>
#include <pyro/base/error.hpp>

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#include <cerrno>
#include <fcntl.h>
#include <net/if.h>

namespace pyro::os {

namespace {

NetworkLink link_from(const NetlinkMessage& message) {
  const auto info = message.header<ifinfomsg>();
  const auto attributes = message.attributes<ifinfomsg>();
  return {
      info.ifi_index, text_in(attributes, IFLA_IFNAME), text_in(attributes, IFLA_IFALIAS),
      (info.ifi_flags & IFF_UP) != 0};
}

NetworkLink require_link(const std::string& name) {
  auto link = find_network_link(name);
  if (!link) {
    throw Error(ErrorCode::io, "there is no network device {}", name);
  }
  return *link;
}

std::string setting(const std::string& device, const char* family, const char* name) {
  return fmt::format("/proc/sys/net/{}/conf/{}/{}", family, device, name);
}

} // namespace

std::vector<NetworkLink> network_links() {
  std::vector<NetworkLink> links;
  for (const auto& message :
       NetlinkRequest(RTM_GETLINK, NLM_F_DUMP, ifinfomsg{}).send("list network devices")) {
    links.push_back(link_from(message));
  }
  return links;
}

std::optional<NetworkLink> find_network_link(const std::string& name) {
  NetlinkRequest request(RTM_GETLINK, 0, ifinfomsg{});
  request.text_attribute(IFLA_IFNAME, name);
  const auto answers = request.send("look for network device " + name, {ENODEV});
  return answers.empty() ? std::nullopt : std::optional(link_from(answers.front()));
}

void set_link_alias(const std::string& name, const std::string& alias) {
  ifinfomsg info{};
  info.ifi_index = require_link(name).index;
  NetlinkRequest(RTM_NEWLINK, 0, info).attribute(IFLA_IFALIAS, alias).send("name the owner of " + name);
}

void bring_up_link(const std::string& name) {
  ifinfomsg info{};
  info.ifi_index = require_link(name).index;
  info.ifi_flags = IFF_UP;
  info.ifi_change = IFF_UP;
  NetlinkRequest(RTM_NEWLINK, 0, info).send("bring up " + name);
}

void add_link_address(const std::string& name, const std::string& address, int prefix) {
  const auto parsed = destination_from(address);
  if (prefix < 1 || prefix > address_bits(parsed.family)) {
    throw Error(ErrorCode::internal, "'{}/{}' is no address of a device", address, prefix);
  }
  ifaddrmsg info{};
  info.ifa_family = static_cast<unsigned char>(parsed.family);
  info.ifa_prefixlen = static_cast<unsigned char>(prefix);
  info.ifa_flags = parsed.family == AF_INET6 ? IFA_F_NODAD : 0;
  info.ifa_index = static_cast<unsigned>(require_link(name).index);
  NetlinkRequest(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, info)
      .attribute(IFA_LOCAL, address_bytes(parsed))
      .attribute(IFA_ADDRESS, address_bytes(parsed))
      .send(fmt::format("give {} the address {}/{}", name, address, prefix), {EEXIST});
}

void make_link_pair(const std::string& name, const std::string& peer, int peer_namespace, std::uint32_t mtu) {
  const ifinfomsg nothing{};
  NestedAttributes other({reinterpret_cast<const char*>(&nothing), sizeof nothing});
  other.text_attribute(IFLA_IFNAME, peer)
      .attribute(IFLA_MTU, mtu)
      .attribute(IFLA_NET_NS_FD, static_cast<std::uint32_t>(peer_namespace));
  NestedAttributes data;
  data.attribute(VETH_INFO_PEER, other.bytes());
  NestedAttributes kind;
  kind.text_attribute(IFLA_INFO_KIND, "veth").attribute(IFLA_INFO_DATA, data.bytes());
  NetlinkRequest request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, nothing);
  request.text_attribute(IFLA_IFNAME, name)
      .attribute(IFLA_MTU, mtu)
      .attribute(IFLA_LINKINFO, kind.bytes())
      .send("make a pair of network devices (veth)");
}

void remove_link(const std::string& name) {
  NetlinkRequest request(RTM_DELLINK, 0, ifinfomsg{});
  request.text_attribute(IFLA_IFNAME, name);
  request.send("remove network device " + name, {ENODEV});
}

bool forwards_ipv4(const std::string& device) {
  return read_file(setting(device, "ipv4", "forwarding"), 100).starts_with("1");
}

void set_ipv4_forwarding(const std::string& device, bool on) {
  const auto file = open_file(setting(device, "ipv4", "forwarding"), O_WRONLY);
  write_all(file.get(), on ? "1" : "0");
}

void disable_ipv6(const std::string& device) {
  if (const auto file = maybe_open(setting(device, "ipv6", "disable_ipv6"), O_WRONLY)) {
    write_all(file->get(), "1");
  }
}

} // namespace pyro::os
