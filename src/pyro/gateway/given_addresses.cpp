#include "given_addresses.hpp"

#include <pyro/base/sha256.hpp>
#include <pyro/egress/gateway_addresses.hpp>

#include <sys/socket.h>

namespace pyro::gateway {

namespace {

const Destination& range() {
  static const auto s_range = destination_from(egress::k_given_range);
  return s_range;
}

constexpr std::uint32_t k_base = (198U << 24U) | (18U << 16U);
constexpr std::uint32_t k_first = 256; // those below are for the network itself
constexpr std::uint32_t k_count = (1U << 17U) - k_first - 1;
constexpr std::size_t k_most_names = k_count / 2; // so that a free number is near

/// Where to look first for a number of that name.
std::uint32_t first_number(const std::string& name) {
  const auto digest = Sha256().field(name).finish();
  return static_cast<std::uint32_t>(std::stoul(std::string(digest).substr(0, 8), nullptr, 16) % k_count);
}

} // namespace

std::optional<Destination> GivenAddresses::of(const std::string& name) {
  auto found = m_numbers.find(name);
  if (found == m_numbers.end()) {
    if (m_names.size() == k_most_names) {
      return std::nullopt;
    }
    auto number = first_number(name);
    while (m_names.contains(number)) {
      number = (number + 1) % k_count;
    }
    m_names.emplace(number, name);
    found = m_numbers.emplace(name, number).first;
  }
  const auto number = k_base + k_first + found->second;
  Destination address{AF_INET, {}, 32};
  for (unsigned i = 0; i < 4; ++i) {
    address.address.at(i) = static_cast<std::uint8_t>(number >> (24 - 8 * i));
  }
  return address;
}

std::optional<std::string> GivenAddresses::name_at(const Destination& address) const {
  if (!holds(address)) {
    return std::nullopt;
  }
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    number = number << 8U | address.address.at(i);
  }
  const auto found = m_names.find(number - k_base - k_first); // wraps where it is of the network itself
  return found == m_names.end() ? std::nullopt : std::optional(found->second);
}

bool GivenAddresses::holds(const Destination& address) {
  return covers(range(), address);
}

} // namespace pyro::gateway
