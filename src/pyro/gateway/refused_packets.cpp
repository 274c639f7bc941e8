#include "refused_packets.hpp"

#include "asked.hpp"

#include <fmt/format.h>
#include <linux/if_packet.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>

namespace pyro::gateway {

namespace {

constexpr std::size_t k_enough = 128; // of the headers

std::size_t byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

struct Network {
  Destination to;
  std::size_t protocol = 0;
  std::size_t header = 0;
};

std::optional<Network> network_header(std::string_view bytes) {
  Network network;
  if (bytes.size() >= sizeof(iphdr) && byte_at(bytes, 0) >> 4U == 4) {
    network.to = {AF_INET, {}, 32};
    std::copy_n(bytes.begin() + offsetof(iphdr, daddr), 4, network.to.address.begin());
    network.protocol = byte_at(bytes, offsetof(iphdr, protocol));
    network.header = (byte_at(bytes, 0) & 0xfU) * 4;
    return network;
  }
  if (bytes.size() >= sizeof(ip6_hdr) && byte_at(bytes, 0) >> 4U == 6) {
    network.to = {AF_INET6, {}, 128};
    std::copy_n(bytes.begin() + offsetof(ip6_hdr, ip6_dst), 16, network.to.address.begin());
    network.protocol = byte_at(bytes, 6);
    network.header = sizeof(ip6_hdr);
    return network;
  }
  return std::nullopt;
}

/// Multicast and broadcast: what devices say by themselves.
bool is_for_many(const Destination& address) {
  return address.family == AF_INET ? address.address[0] >= 224 : address.address[0] == 0xff;
}

} // namespace

std::optional<SeenPacket> packet_from(std::string_view bytes) {
  const auto network = network_header(bytes);
  constexpr std::size_t k_tcp_flags = 13;
  if (!network || bytes.size() < network->header + 4) {
    return std::nullopt;
  }
  const auto transport = bytes.substr(network->header);
  SeenPacket packet{network->protocol == IPPROTO_TCP, network->to, 0};
  packet.port = static_cast<std::uint16_t>(byte_at(transport, 2) << 8U | byte_at(transport, 3));
  if (packet.is_tcp) {
    const bool is_first =
        transport.size() > k_tcp_flags && (byte_at(transport, k_tcp_flags) & (TH_SYN | TH_ACK)) == TH_SYN;
    return is_first ? std::optional(packet) : std::nullopt;
  }
  return network->protocol == IPPROTO_UDP ? std::optional(packet) : std::nullopt;
}

RefusedPackets::RefusedPackets(
    Common& common, os::Fd packets, std::function<bool(const SeenPacket&)> is_served)
    : m_common(common), m_packets(std::move(packets)), m_is_served(std::move(is_served)) {
  m_common.loop.watch(m_packets.get(), EPOLLIN, [this](std::uint32_t) { read(); });
}

RefusedPackets::~RefusedPackets() {
  m_common.loop.unwatch(m_packets.get());
}

void RefusedPackets::read() {
  constexpr int k_most_per_turn = 64;
  for (int i = 0; i < k_most_per_turn; ++i) {
    std::array<char, k_enough> bytes{};
    sockaddr_ll from{};
    socklen_t size = sizeof from;
    const auto count = ::recvfrom(
        m_packets.get(), bytes.data(), bytes.size(), MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&from), &size);
    if (count < 0) {
      return;
    }
    const auto packet = packet_from({bytes.data(), static_cast<std::size_t>(count)});
    if (from.sll_pkttype == PACKET_OUTGOING || !packet || is_for_many(packet->to) || m_is_served(*packet)) {
      continue;
    }
    Access access;
    access.protocol = packet->is_tcp ? "tcp" : "udp";
    const auto asked = asked_for(packet->to, packet->port, m_common.given);
    access.host = asked.host();
    access.port = asked.port;
    access.reason = packet->is_tcp ? fmt::format("no rule of network.egress has the port {}", packet->port)
                                   : "datagrams do not leave the workspace (UDP, QUIC)";
    access.allow = packet->is_tcp ? asked.missing_rule() : "";
    m_common.log.add(access);
  }
}

} // namespace pyro::gateway
