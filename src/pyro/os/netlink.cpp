#include "netlink.hpp"

#include "fd.hpp"

#include <pyro/base/error.hpp>

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <unistd.h>

namespace pyro::os {

namespace {

constexpr std::size_t k_max_answer = 64 << 10;

} // namespace

Fd open_route_netlink(std::uint32_t groups) {
  Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = groups;
  if (!socket || ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) < 0) {
    throw Error::from_errno(errno, "rtnetlink: open a socket");
  }
  return socket;
}

NetlinkRequest::NetlinkRequest(
    std::uint16_t type, std::uint16_t flags, const void* header, std::size_t size) {
  nlmsghdr front{};
  front.nlmsg_type = type;
  front.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
  append(&front, sizeof(front));
  append(header, size);
}

void NetlinkRequest::append(const void* bytes, std::size_t size) {
  m_message.append(static_cast<const char*>(bytes), size);
  m_message.resize(NLMSG_ALIGN(m_message.size()), '\0');
}

NetlinkRequest& NetlinkRequest::attribute(std::uint16_t type, std::string_view bytes) {
  rtattr front{};
  front.rta_type = type;
  front.rta_len = static_cast<std::uint16_t>(RTA_LENGTH(bytes.size()));
  append(&front, sizeof(front));
  append(bytes.data(), bytes.size());
  return *this;
}

NetlinkRequest& NetlinkRequest::attribute(std::uint16_t type, std::uint32_t value) {
  return attribute(type, std::string_view(reinterpret_cast<const char*>(&value), sizeof(value)));
}

NetlinkRequest& NetlinkRequest::text_attribute(std::uint16_t type, const std::string& text) {
  return attribute(type, std::string_view(text.c_str(), text.size() + 1));
}

std::vector<std::string> NetlinkRequest::send(const std::string& what, const std::vector<int>& accepted) {
  return send_over(open_route_netlink().get(), what, accepted);
}

std::vector<std::string>
NetlinkRequest::send_over(int socket, const std::string& what, const std::vector<int>& accepted) {
  const auto size = static_cast<std::uint32_t>(m_message.size());
  std::memcpy(m_message.data() + offsetof(nlmsghdr, nlmsg_len), &size, sizeof(size));
  if (::send(socket, m_message.data(), m_message.size(), 0) < 0) {
    throw Error::from_errno(errno, "rtnetlink: " + what);
  }
  std::vector<std::string> answers;
  alignas(nlmsghdr) std::array<char, k_max_answer> buffer{};
  while (true) {
    const auto got = ::recv(socket, buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      throw Error::from_errno(errno, "rtnetlink: " + what);
    }
    auto left = static_cast<unsigned>(got);
    for (auto* message = reinterpret_cast<nlmsghdr*>(buffer.data()); NLMSG_OK(message, left);
         message = NLMSG_NEXT(message, left)) {
      if (message->nlmsg_type == NLMSG_DONE) {
        return answers;
      }
      if (message->nlmsg_type != NLMSG_ERROR) {
        answers.emplace_back(reinterpret_cast<const char*>(message), message->nlmsg_len);
        continue;
      }
      const int error_number = -static_cast<const nlmsgerr*>(NLMSG_DATA(message))->error;
      if (error_number != 0 && std::find(accepted.begin(), accepted.end(), error_number) == accepted.end()) {
        throw Error::from_errno(error_number, what);
      }
      return answers;
    }
  }
}

} // namespace pyro::os
