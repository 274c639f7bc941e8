#include "given_addresses.hpp"

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

} // namespace

std::optional<Destination> GivenAddresses::of(const std::string& name) {
  auto found = m_numbers.find(name);
  if (found == m_numbers.end()) {
    if (m_names.size() == k_count) {
      return std::nullopt;
    }
    found = m_numbers.emplace(name, static_cast<std::uint32_t>(m_names.size())).first;
    m_names.push_back(name);
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
  const auto index = number - k_base - k_first; // wraps where it is of the network itself
  return index < m_names.size() ? std::optional(m_names[index]) : std::nullopt;
}

bool GivenAddresses::holds(const Destination& address) {
  return covers(range(), address);
}

} // namespace pyro::gateway
