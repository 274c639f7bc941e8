// Addresses of the internet protocols, one or all with a common beginning.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace pyro {

/// Addresses with a common beginning.
struct Destination {
  int family = 0; // AF_INET, AF_INET6
  std::array<std::uint8_t, 16> address{};
  int prefix = 0; // bits

  auto operator<=>(const Destination&) const = default;
};

/// 32 or 128.
int address_bits(int family);
/// "169.254.0.0/16", "fd00:ec2::254" (one address). Throws Error(invalid_argument).
Destination destination_from(const std::string& text);
/// The 4 or 16 bytes of the address, as it travels. They point into `destination`.
std::string_view address_bytes(const Destination& destination);
/// As destination_from() reads it; without a prefix where it is one address.
std::string to_string(const Destination& destination);
/// Does `whole` hold every address of `part`?
bool covers(const Destination& whole, const Destination& part);

} // namespace pyro
