// One question to the kernel over netlink (netlink(7), rtnetlink(7)) with its attributes, and the answers, as
// typed messages. For what pyro asks of it see network.hpp, network_link.hpp, local_routes.hpp,
// quota_events.hpp. Why no library does this: docs/decisions/0040.
#pragma once

#include "fd.hpp"

#include <pyro/base/error.hpp>

#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace pyro::os {

/// By type, without the flags of the type. Point into what they were read from.
using NetlinkAttributes = std::map<std::uint16_t, std::string_view>;

/// Throws Error(protocol) where one is longer than what there is.
NetlinkAttributes netlink_attributes(std::string_view bytes);
/// Up to the first NUL; empty where it is not there.
std::string text_in(const NetlinkAttributes& attributes, std::uint16_t type);

/// What is not there, or has another size, is 0.
template <typename Number>
Number number_in(const NetlinkAttributes& attributes, std::uint16_t type) {
  Number number = 0;
  const auto found = attributes.find(type);
  if (found != attributes.end() && found->second.size() == sizeof number) {
    std::memcpy(&number, found->second.data(), sizeof number);
  }
  return number;
}

struct NetlinkMessage {
  std::uint16_t type = 0;
  std::uint16_t flags = 0;
  std::uint32_t sequence = 0;
  std::string payload; // all behind the nlmsghdr

  /// ifinfomsg, rtmsg, genlmsghdr: what messages of this type begin with. Throws Error(protocol) where it is
  /// not there.
  template <typename Header>
  Header header() const {
    static_assert(std::is_trivially_copyable_v<Header>);
    Header header{};
    require(sizeof header);
    std::memcpy(&header, payload.data(), sizeof header);
    return header;
  }

  /// Those behind such a header.
  template <typename Header>
  NetlinkAttributes attributes() const {
    require(sizeof(Header));
    return netlink_attributes(std::string_view(payload).substr(aligned(sizeof(Header))));
  }

private:
  void require(std::size_t size) const;
  std::size_t aligned(std::size_t size) const;
};

/// The messages of one datagram. Throws Error(protocol) where one is longer than what there is.
std::vector<NetlinkMessage> netlink_messages(std::string_view datagram);

/// The next datagram that the kernel sent; those of other senders are passed over. `flags`: of recv(2).
/// nullopt: nothing is there (EAGAIN). Throws Error(protocol) for one that did not fit, ENOBUFS where some
/// were lost.
std::optional<std::string> receive_netlink(int socket, int flags = 0);

/// A socket for questions about this network namespace; it stays with it. `groups`: RTMGRP_* to listen to.
Fd open_route_netlink(std::uint32_t groups = 0);
/// The same for generic netlink.
Fd open_generic_netlink();

/// Collects what comes until the kernel's word that this was all.
class NetlinkAnswer {
public:
  /// `accepted`: error numbers (ENODEV, ...) that are as good as success.
  NetlinkAnswer(std::uint32_t sequence, std::string what, std::vector<int> accepted = {})
      : m_sequence(sequence), m_what(std::move(what)), m_accepted(std::move(accepted)) {}

  /// True: this was the last datagram. Messages with another sequence number answer an earlier question, and
  /// are passed over. Throws the kernel's error with `what`.
  bool take(std::string_view datagram);

  /// What was listed changed meanwhile, so that it may be neither the old nor the new: ask again.
  bool is_inconsistent() const { return m_is_inconsistent; }

  std::vector<NetlinkMessage> messages() && { return std::move(m_messages); }

private:
  void refuse_unless_accepted(int error_number) const;

  std::uint32_t m_sequence;
  std::string m_what;
  std::vector<int> m_accepted;
  std::vector<NetlinkMessage> m_messages;
  bool m_is_inconsistent = false;
};

/// Attributes in an attribute, one after the other.
class NestedAttributes {
public:
  /// For what stands before them ("veth": an ifinfomsg); empty: nothing does.
  explicit NestedAttributes(std::string_view front = {}) { append(front); }

  NestedAttributes& attribute(std::uint16_t type, std::string_view bytes);
  NestedAttributes& attribute(std::uint16_t type, std::uint32_t value);
  /// With the final NUL that names have here.
  NestedAttributes& text_attribute(std::uint16_t type, const std::string& text);

  const std::string& bytes() const { return m_bytes; }

private:
  void append(std::string_view bytes);

  std::string m_bytes;
};

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

  /// Sends it in this network namespace and waits for the kernel's word. Returns what came before that.
  /// `accepted`: error numbers (ENODEV, ...) that are as good as success. Throws the kernel's error with
  /// `what`.
  std::vector<NetlinkMessage> send(const std::string& what, const std::vector<int>& accepted = {});
  /// The same over a socket that is open already, thus in the network namespace where that was made.
  std::vector<NetlinkMessage>
  send_over(int socket, const std::string& what, const std::vector<int>& accepted = {});

private:
  NetlinkRequest(std::uint16_t type, std::uint16_t flags, const void* header, std::size_t size);

  std::string m_message;
};

} // namespace pyro::os
