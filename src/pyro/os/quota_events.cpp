#include "quota_events.hpp"

#include "netlink.hpp"

#include <pyro/base/error.hpp>

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/quota.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>

#include <string>
#include <string_view>

namespace pyro::os {

namespace {

/// More than fit into the socket's buffer: whoever makes them without end must not keep us.
constexpr int k_most_at_once = 1024;

std::uint32_t group_named(std::string_view groups, std::string_view name) {
  for (const auto& [index, group] : netlink_attributes(groups)) {
    const auto attributes = netlink_attributes(group);
    if (text_in(attributes, CTRL_ATTR_MCAST_GRP_NAME) == name) {
      return number_in<std::uint32_t>(attributes, CTRL_ATTR_MCAST_GRP_ID);
    }
  }
  return 0;
}

void add_refusal(Refusals& refusals, const NetlinkAttributes& event, dev_t device, ProjectId project) {
  const bool is_meant = number_in<std::uint32_t>(event, QUOTA_NL_A_QTYPE) == PRJQUOTA
                        && number_in<std::uint64_t>(event, QUOTA_NL_A_EXCESS_ID) == project
                        && number_in<std::uint32_t>(event, QUOTA_NL_A_DEV_MAJOR) == major(device)
                        && number_in<std::uint32_t>(event, QUOTA_NL_A_DEV_MINOR) == minor(device);
  const auto warning = number_in<std::uint32_t>(event, QUOTA_NL_A_WARNING);
  refusals.bytes = refusals.bytes || (is_meant && warning == QUOTA_NL_BHARDWARN);
  refusals.entries = refusals.entries || (is_meant && warning == QUOTA_NL_IHARDWARN);
}

} // namespace

std::optional<QuotaEvents> QuotaEvents::listen() {
  genlmsghdr header{};
  header.cmd = CTRL_CMD_GETFAMILY;
  header.version = 1;
  try {
    auto socket = open_generic_netlink();
    NetlinkRequest request(GENL_ID_CTRL, 0, header);
    request.text_attribute(CTRL_ATTR_FAMILY_NAME, "VFS_DQUOT");
    const auto answers = request.send_over(socket.get(), "ask for the events of quotas");
    if (answers.empty()) {
      return std::nullopt;
    }
    const auto family = answers.front().attributes<genlmsghdr>();
    const auto groups = family.find(CTRL_ATTR_MCAST_GROUPS);
    const auto group = groups == family.end() ? 0 : group_named(groups->second, "events");
    if (group == 0
        || ::setsockopt(socket.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0) {
      return std::nullopt;
    }
    return QuotaEvents(std::move(socket), number_in<std::uint16_t>(family, CTRL_ATTR_FAMILY_ID));
  } catch (const Error&) {
    return std::nullopt;
  }
}

Refusals QuotaEvents::take(dev_t device, ProjectId project) {
  Refusals refusals;
  for (int count = 0; count < k_most_at_once; ++count) {
    try {
      const auto datagram = receive_netlink(m_socket.get(), MSG_DONTWAIT);
      if (!datagram) {
        break;
      }
      for (const auto& message : netlink_messages(*datagram)) {
        if (message.type == m_family) {
          add_refusal(refusals, message.attributes<genlmsghdr>(), device, project);
        }
      }
    } catch (const Error&) {
      continue; // some were lost, or this one is none of ours: the quota's use is looked at as well
    }
  }
  return refusals;
}

} // namespace pyro::os
