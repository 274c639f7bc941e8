// What somebody inside tries that nobody listens to: connections to other ports, datagrams. The kernel has
// refused them already; here they are seen for the log (packet(7)).
#pragma once

#include "common.hpp"

#include <pyro/os/fd.hpp>

#include <functional>
#include <optional>
#include <string_view>

namespace pyro::gateway {

struct SeenPacket {
  bool is_tcp = false;
  Destination to;
  std::uint16_t port = 0;

  bool operator==(const SeenPacket&) const = default;
};

/// Of an IP packet from its header on: the first of a connection, or a datagram; nullopt: anything else.
std::optional<SeenPacket> packet_from(std::string_view bytes);

class RefusedPackets {
public:
  /// `packets`: a packet socket of the workspace's device. `is_served`: does somebody listen there?
  RefusedPackets(Common& common, os::Fd packets, std::function<bool(const SeenPacket&)> is_served);
  ~RefusedPackets();
  RefusedPackets(const RefusedPackets&) = delete;
  RefusedPackets& operator=(const RefusedPackets&) = delete;

  /// What was seen and not looked at yet.
  void read();

private:
  Common& m_common;
  os::Fd m_packets;
  std::function<bool(const SeenPacket&)> m_is_served;
};

} // namespace pyro::gateway
