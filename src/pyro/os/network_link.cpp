#include "network_link.hpp"

#include "fd.hpp"
#include "netlink.hpp"

#include <pyro/base/error.hpp>

#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <arpa/inet.h>
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

void add_link_address(const std::string& name, const std::string& ipv4_address, int prefix) {
  in_addr address{};
  if (::inet_pton(AF_INET, ipv4_address.c_str(), &address) != 1 || prefix < 1 || prefix > 32) {
    throw Error(ErrorCode::internal, "'{}/{}' is no IPv4 address", ipv4_address, prefix);
  }
  ifaddrmsg info{};
  info.ifa_family = AF_INET;
  info.ifa_prefixlen = static_cast<unsigned char>(prefix);
  info.ifa_index = static_cast<unsigned>(require_link(name).index);
  NetlinkRequest(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, info)
      .attribute(IFA_LOCAL, address.s_addr)
      .attribute(IFA_ADDRESS, address.s_addr)
      .send(fmt::format("give {} the address {}/{}", name, ipv4_address, prefix), {EEXIST});
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
