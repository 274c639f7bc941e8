// One question to the kernel's routing netlink (rtnetlink(7)) with its attributes, and the answers. For what
// pyro asks of it see network.hpp and network_link.hpp.
#pragma once

#include "fd.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::os {

/// A socket for questions about this network namespace; it stays with it. `groups`: RTMGRP_* to listen to.
Fd open_route_netlink(std::uint32_t groups = 0);

class NetlinkRequest {
public:
  /// `type`: RTM_NEWLINK and so on; `flags` beside NLM_F_REQUEST and NLM_F_ACK. `header`: ifinfomsg, rtmsg,
  /// ...
  template <typename Header>
  NetlinkRequest(std::uint16_t type, std::uint16_t flags, const Header& header)
      : NetlinkRequest(type, flags, &header, sizeof(header)) {}

  NetlinkRequest& attribute(std::uint16_t type, std::string_view bytes);
  NetlinkRequest& attribute(std::uint16_t type, std::uint32_t value);
  /// With the final NUL that names have here.
  NetlinkRequest& text_attribute(std::uint16_t type, const std::string& text);

  /// Sends it in this network namespace and waits for the kernel's word. Returns what came before that, one
  /// message with its header each. `accepted`: error numbers (ENODEV, ...) that are as good as success.
  /// Throws the kernel's error with `what`.
  std::vector<std::string> send(const std::string& what, const std::vector<int>& accepted = {});
  /// The same over a socket of open_route_netlink(), thus in the network namespace where that was made.
  std::vector<std::string>
  send_over(int socket, const std::string& what, const std::vector<int>& accepted = {});

private:
  NetlinkRequest(std::uint16_t type, std::uint16_t flags, const void* header, std::size_t size);
  void append(const void* bytes, std::size_t size);

  std::string m_message;
};

} // namespace pyro::os
