#include "reserved.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>

namespace pyro::egress {

namespace {

// Link-local addresses hold 169.254.169.254 (nearly every cloud), 169.254.170.2 and .23 (containers at AWS).
constexpr std::array k_forbidden{
    "0.0.0.0/8",       "127.0.0.0/8",     "169.254.0.0/16",
    "100.100.100.200", // Alibaba
    "168.63.129.16",   // Azure's wire server
    "192.0.0.192",     // Oracle
    "224.0.0.0/4",     "255.255.255.255", "::/96",          "::1",
    "::ffff:0:0/96", // IPv4 in IPv6
    "fe80::/10",
    "fd00:ec2::254", // AWS
    "fd00:ec2::23",  // AWS, containers
    "fd20:ce::254",  // Google
    "ff00::/8",
};

/// Prefixes under which gateways of networks without IPv4 translate to it (RFC 6052, RFC 8215): the address
/// is the last 32 bits.
constexpr std::array k_translated{"64:ff9b::/96", "64:ff9b:1::/96"};

constexpr std::array k_private{"10.0.0.0/8",    "172.16.0.0/12", "192.168.0.0/16",  "100.64.0.0/10",
                               "198.18.0.0/15", "192.0.2.0/24",  "198.51.100.0/24", "203.0.113.0/24",
                               "240.0.0.0/4",   "fc00::/7",      "2001:db8::/32"};

template <typename List>
std::vector<Destination> parsed(const List& texts) {
  std::vector<Destination> all;
  for (const char* text : texts) {
    all.push_back(destination_from(text));
  }
  return with_translated(std::move(all));
}

} // namespace

std::vector<Destination> with_translated(std::vector<Destination> destinations) {
  static const std::array prefixes{destination_from(k_translated[0]), destination_from(k_translated[1])};
  for (std::size_t i = 0, count = destinations.size(); i < count; ++i) {
    const auto plain = destinations[i];
    if (plain.family != AF_INET) {
      continue;
    }
    for (auto translated : prefixes) {
      std::copy_n(plain.address.begin(), 4, translated.address.begin() + translated.prefix / 8);
      translated.prefix += plain.prefix;
      destinations.push_back(translated);
    }
  }
  return destinations;
}

const std::vector<Destination>& forbidden_destinations() {
  static const auto s_all = parsed(k_forbidden);
  return s_all;
}

const std::vector<Destination>& private_destinations() {
  static const auto s_all = parsed(k_private);
  return s_all;
}

bool is_in(const std::vector<Destination>& destinations, const Destination& address) {
  return std::any_of(
      destinations.begin(), destinations.end(), [&](const auto& whole) { return covers(whole, address); });
}

} // namespace pyro::egress
