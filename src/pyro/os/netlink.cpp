#include "netlink.hpp"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>

namespace pyro::os {

namespace {

constexpr std::size_t k_max_answer = 64 << 10;
/// Of a listing that changed while it was made.
constexpr int k_most_attempts = 16;

Fd open_netlink(int protocol, std::uint32_t groups) {
  Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = groups;
  if (!socket || ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) < 0) {
    throw Error::from_errno(errno, "netlink: open a socket");
  }
  return socket;
}

std::uint32_t next_sequence() {
  static std::atomic<std::uint32_t> s_last{0};
  return ++s_last;
}

/// An int at the front of the payload: nlmsgerr's, or that of NLMSG_DONE.
int error_number_in(const NetlinkMessage& message) {
  return -message.header<int>();
}

} // namespace

NetlinkAttributes netlink_attributes(std::string_view bytes) {
  NetlinkAttributes found;
  while (bytes.size() >= NLA_HDRLEN) {
    nlattr front{};
    std::memcpy(&front, bytes.data(), sizeof front);
    if (front.nla_len < NLA_HDRLEN || front.nla_len > bytes.size()) {
      throw Error(
          ErrorCode::protocol, "netlink: an attribute of {} bytes where {} are left", front.nla_len,
          bytes.size());
    }
    found[static_cast<std::uint16_t>(front.nla_type & NLA_TYPE_MASK)] =
        bytes.substr(NLA_HDRLEN, front.nla_len - NLA_HDRLEN);
    bytes.remove_prefix(std::min<std::size_t>(NLA_ALIGN(front.nla_len), bytes.size()));
  }
  return found;
}

std::string text_in(const NetlinkAttributes& attributes, std::uint16_t type) {
  const auto found = attributes.find(type);
  return found == attributes.end() ? std::string()
                                   : std::string(found->second.substr(0, found->second.find('\0')));
}

void NetlinkMessage::require(std::size_t size) const {
  if (payload.size() < size) {
    throw Error(
        ErrorCode::protocol, "netlink: a message of type {} with {} bytes instead of at least {}", type,
        payload.size(), size);
  }
}

std::size_t NetlinkMessage::aligned(std::size_t size) const {
  return std::min<std::size_t>(NLMSG_ALIGN(size), payload.size());
}

std::vector<NetlinkMessage> netlink_messages(std::string_view datagram) {
  std::vector<NetlinkMessage> messages;
  while (!datagram.empty()) {
    nlmsghdr front{};
    std::memcpy(&front, datagram.data(), std::min(sizeof front, datagram.size()));
    if (front.nlmsg_len < NLMSG_HDRLEN || front.nlmsg_len > datagram.size()) {
      throw Error(
          ErrorCode::protocol, "netlink: a message of {} bytes where {} are left", front.nlmsg_len,
          datagram.size());
    }
    messages.push_back(
        {front.nlmsg_type, front.nlmsg_flags, front.nlmsg_seq,
         std::string(datagram.substr(NLMSG_HDRLEN, front.nlmsg_len - NLMSG_HDRLEN))});
    datagram.remove_prefix(std::min<std::size_t>(NLMSG_ALIGN(front.nlmsg_len), datagram.size()));
  }
  return messages;
}

std::optional<std::string> receive_netlink(int socket, int flags) {
  std::string buffer(k_max_answer, '\0');
  while (true) {
    sockaddr_nl sender{};
    iovec place{buffer.data(), buffer.size()};
    msghdr message{};
    message.msg_name = &sender;
    message.msg_namelen = sizeof sender;
    message.msg_iov = &place;
    message.msg_iovlen = 1;
    const auto got = ::recvmsg(socket, &message, flags);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0 && errno == EAGAIN) {
      return std::nullopt;
    }
    if (got < 0) {
      throw Error::from_errno(errno, "netlink: receive");
    }
    if (message.msg_namelen != sizeof sender || sender.nl_pid != 0) {
      continue; // of another process
    }
    if ((message.msg_flags & MSG_TRUNC) != 0) {
      throw Error(ErrorCode::protocol, "netlink: a message is longer than {} bytes", buffer.size());
    }
    buffer.resize(static_cast<std::size_t>(got));
    return buffer;
  }
}

Fd open_route_netlink(std::uint32_t groups) {
  return open_netlink(NETLINK_ROUTE, groups);
}

Fd open_generic_netlink() {
  return open_netlink(NETLINK_GENERIC, 0);
}

void NetlinkAnswer::refuse_unless_accepted(int error_number) const {
  if (error_number != 0
      && std::find(m_accepted.begin(), m_accepted.end(), error_number) == m_accepted.end()) {
    throw Error::from_errno(error_number, m_what);
  }
}

bool NetlinkAnswer::take(std::string_view datagram) {
  for (auto& message : netlink_messages(datagram)) {
    if (message.sequence != m_sequence) {
      continue;
    }
    m_is_inconsistent = m_is_inconsistent || (message.flags & NLM_F_DUMP_INTR) != 0;
    switch (message.type) {
    case NLMSG_NOOP:
      break;
    case NLMSG_OVERRUN:
      throw Error(ErrorCode::protocol, "{}: netlink lost a part of the answer", m_what);
    case NLMSG_DONE:
    case NLMSG_ERROR:
      refuse_unless_accepted(error_number_in(message));
      return true;
    default:
      m_messages.push_back(std::move(message));
    }
  }
  return false;
}

void NestedAttributes::append(std::string_view bytes) {
  m_bytes.append(bytes);
  m_bytes.resize(NLA_ALIGN(m_bytes.size()), '\0');
}

NestedAttributes& NestedAttributes::attribute(std::uint16_t type, std::string_view bytes) {
  nlattr front{};
  front.nla_type = type;
  if (bytes.size() > UINT16_MAX - NLA_HDRLEN) {
    throw Error(ErrorCode::internal, "netlink: {} bytes do not fit into an attribute", bytes.size());
  }
  front.nla_len = static_cast<std::uint16_t>(NLA_HDRLEN + bytes.size());
  append({reinterpret_cast<const char*>(&front), sizeof(front)});
  append(bytes);
  return *this;
}

NestedAttributes& NestedAttributes::attribute(std::uint16_t type, std::uint32_t value) {
  return attribute(type, std::string_view(reinterpret_cast<const char*>(&value), sizeof(value)));
}

NestedAttributes& NestedAttributes::text_attribute(std::uint16_t type, const std::string& text) {
  return attribute(type, std::string_view(text.c_str(), text.size() + 1));
}

NetlinkRequest::NetlinkRequest(
    std::uint16_t type, std::uint16_t flags, const void* header, std::size_t size) {
  nlmsghdr front{};
  front.nlmsg_type = type;
  front.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
  m_message.append(reinterpret_cast<const char*>(&front), sizeof(front));
  m_message.append(static_cast<const char*>(header), size);
  m_message.resize(NLMSG_ALIGN(m_message.size()), '\0');
}

NetlinkRequest& NetlinkRequest::attribute(std::uint16_t type, std::string_view bytes) {
  m_message += NestedAttributes().attribute(type, bytes).bytes();
  return *this;
}

NetlinkRequest& NetlinkRequest::attribute(std::uint16_t type, std::uint32_t value) {
  m_message += NestedAttributes().attribute(type, value).bytes();
  return *this;
}

NetlinkRequest& NetlinkRequest::text_attribute(std::uint16_t type, const std::string& text) {
  m_message += NestedAttributes().text_attribute(type, text).bytes();
  return *this;
}

std::vector<NetlinkMessage> NetlinkRequest::send(const std::string& what, const std::vector<int>& accepted) {
  return send_over(open_route_netlink().get(), what, accepted);
}

std::vector<NetlinkMessage>
NetlinkRequest::send_over(int socket, const std::string& what, const std::vector<int>& accepted) {
  for (int attempt = 0; attempt < k_most_attempts; ++attempt) {
    nlmsghdr front{};
    std::memcpy(&front, m_message.data(), sizeof front);
    front.nlmsg_len = static_cast<std::uint32_t>(m_message.size());
    front.nlmsg_seq = next_sequence();
    std::memcpy(m_message.data(), &front, sizeof front);
    if (::send(socket, m_message.data(), m_message.size(), 0) < 0) {
      throw Error::from_errno(errno, "netlink: " + what);
    }
    NetlinkAnswer answer(front.nlmsg_seq, what, accepted);
    bool is_all = false;
    while (!is_all) {
      const auto datagram = receive_netlink(socket);
      if (!datagram) {
        throw Error(ErrorCode::io, "{}: netlink gives no answer", what);
      }
      is_all = answer.take(*datagram);
    }
    if (!answer.is_inconsistent()) {
      return std::move(answer).messages();
    }
  }
  throw Error(ErrorCode::unavailable, "{}: it changed {} times while it was listed", what, k_most_attempts);
}

} // namespace pyro::os
