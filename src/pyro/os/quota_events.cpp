#include "quota_events.hpp"

#include "netlink.hpp"

#include <pyro/base/error.hpp>

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/quota.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::os {

namespace {

/// More than fit into the socket's buffer: whoever makes them without end must not keep us.
constexpr int k_most_at_once = 1024;

using Attributes = std::map<std::uint16_t, std::string_view>;

Attributes attributes_of(std::string_view bytes) {
  Attributes found;
  while (bytes.size() >= NLA_HDRLEN) {
    nlattr front{};
    std::memcpy(&front, bytes.data(), sizeof front);
    if (front.nla_len < NLA_HDRLEN || front.nla_len > bytes.size()) {
      break;
    }
    found[static_cast<std::uint16_t>(front.nla_type & NLA_TYPE_MASK)] =
        bytes.substr(NLA_HDRLEN, front.nla_len - NLA_HDRLEN);
    bytes.remove_prefix(std::min<std::size_t>(NLA_ALIGN(front.nla_len), bytes.size()));
  }
  return found;
}

/// What is not there, or has another size, is 0.
template <typename Number>
Number number_in(const Attributes& attributes, std::uint16_t type) {
  Number number = 0;
  const auto found = attributes.find(type);
  if (found != attributes.end() && found->second.size() == sizeof number) {
    std::memcpy(&number, found->second.data(), sizeof number);
  }
  return number;
}

std::string_view behind_headers(std::string_view message) {
  constexpr std::size_t k_headers = NLMSG_HDRLEN + GENL_HDRLEN;
  return message.size() > k_headers ? message.substr(k_headers) : std::string_view();
}

std::uint32_t group_named(std::string_view groups, std::string_view name) {
  for (const auto& [index, group] : attributes_of(groups)) {
    const auto attributes = attributes_of(group);
    const auto found = attributes.find(CTRL_ATTR_MCAST_GRP_NAME);
    if (found != attributes.end() && found->second.substr(0, found->second.find('\0')) == name) {
      return number_in<std::uint32_t>(attributes, CTRL_ATTR_MCAST_GRP_ID);
    }
  }
  return 0;
}

void add_refusal(Refusals& refusals, const Attributes& event, dev_t device, ProjectId project) {
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
  Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC));
  if (!socket) {
    return std::nullopt;
  }
  genlmsghdr header{};
  header.cmd = CTRL_CMD_GETFAMILY;
  header.version = 1;
  std::vector<std::string> answers;
  try {
    NetlinkRequest request(GENL_ID_CTRL, 0, header);
    request.text_attribute(CTRL_ATTR_FAMILY_NAME, "VFS_DQUOT");
    answers = request.send_over(socket.get(), "ask for the events of quotas");
  } catch (const Error&) {
    return std::nullopt;
  }
  if (answers.empty()) {
    return std::nullopt;
  }
  const auto family = attributes_of(behind_headers(answers.front()));
  const auto groups = family.find(CTRL_ATTR_MCAST_GROUPS);
  const auto group = groups == family.end() ? 0 : group_named(groups->second, "events");
  if (group == 0
      || ::setsockopt(socket.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0) {
    return std::nullopt;
  }
  return QuotaEvents(std::move(socket), number_in<std::uint16_t>(family, CTRL_ATTR_FAMILY_ID));
}

Refusals QuotaEvents::take(dev_t device, ProjectId project) {
  Refusals refusals;
  alignas(nlmsghdr) std::array<char, 8192> buffer{};
  for (int count = 0; count < k_most_at_once; ++count) {
    const auto got = ::recv(m_socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EINTR || errno == ENOBUFS)) {
      continue; // some were lost
    }
    if (got <= 0) {
      break;
    }
    auto left = static_cast<unsigned>(got);
    for (auto* message = reinterpret_cast<nlmsghdr*>(buffer.data()); NLMSG_OK(message, left);
         message = NLMSG_NEXT(message, left)) {
      if (message->nlmsg_type == m_family) {
        const std::string_view bytes(reinterpret_cast<const char*>(message), message->nlmsg_len);
        add_refusal(refusals, attributes_of(behind_headers(bytes)), device, project);
      }
    }
  }
  return refusals;
}

} // namespace pyro::os
