#include "network_config.hpp"

#include <pyro/base/error.hpp>

#include <arpa/inet.h>
#include <charconv>

namespace pyro::backend::firecracker {

namespace {

constexpr int k_guest_prefix = 30;
constexpr unsigned k_addresses_each = 4;

struct Pool {
  std::uint32_t first = 0; // host byte order
  int prefix = 0;
};

Pool parse(const std::string& text) {
  const auto slash = text.find('/');
  in_addr address{};
  Pool pool;
  if (slash != std::string::npos && ::inet_pton(AF_INET, text.substr(0, slash).c_str(), &address) == 1) {
    pool.first = ntohl(address.s_addr);
    const auto [end, error] =
        std::from_chars(text.data() + slash + 1, text.data() + text.size(), pool.prefix);
    const bool is_number = error == std::errc{} && end == text.data() + text.size();
    if (is_number && pool.prefix >= 8 && pool.prefix <= k_guest_prefix
        && (pool.first & (0xffffffffU >> pool.prefix)) == 0) {
      return pool;
    }
  }
  throw Error(
      ErrorCode::invalid_argument, "'{}' is no IPv4 network like 172.29.0.0/16 with a prefix of 8 to {}",
      text, k_guest_prefix);
}

std::string dotted(std::uint32_t address) {
  return fmt::format(
      "{}.{}.{}.{}", address >> 24, (address >> 16) & 0xff, (address >> 8) & 0xff, address & 0xff);
}

} // namespace

unsigned capacity_of(const std::string& pool) {
  return 1U << (k_guest_prefix - parse(pool).prefix);
}

AddressPlan plan_addresses(const std::string& pool, unsigned number) {
  const auto network = parse(pool);
  if (number >= capacity_of(pool)) {
    throw Error(
        ErrorCode::invalid_argument, "the network {} has room for {} guests, not for number {}", pool,
        capacity_of(pool), number);
  }
  const std::uint32_t base = network.first + number * k_addresses_each;
  const std::uint32_t guest = base + 2;
  AddressPlan plan;
  plan.number = number;
  plan.tap = fmt::format("pyro-t{}", number);
  plan.host_address = dotted(base + 1);
  plan.guest_address = dotted(guest);
  plan.prefix = k_guest_prefix;
  plan.guest_mac = fmt::format(
      "06:00:{:02x}:{:02x}:{:02x}:{:02x}", guest >> 24, (guest >> 16) & 0xff, (guest >> 8) & 0xff,
      guest & 0xff);
  return plan;
}

std::string nat_rules(const AddressPlan& plan) {
  return fmt::format(
      R"(table inet {0} {{
  chain input {{
    type filter hook input priority filter; policy accept;
    iifname "{0}" drop
  }}
  chain forward {{
    type filter hook forward priority filter; policy accept;
    iifname "{0}" ip saddr != {1} drop
    iifname "{0}" meta nfproto ipv6 drop
    iifname "{0}" ip daddr {{ 169.254.0.0/16, 100.100.100.200, 168.63.129.16, 192.0.0.192 }} drop
    iifname "{0}" oifname "pyro-t*" drop
    oifname "{0}" ct state established,related accept
    oifname "{0}" drop
  }}
  chain postrouting {{
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr {1} oifname != "{0}" masquerade
  }}
}}
)",
      plan.tap, plan.guest_address);
}

} // namespace pyro::backend::firecracker
