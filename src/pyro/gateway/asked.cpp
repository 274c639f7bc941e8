#include "asked.hpp"

namespace pyro::gateway {

std::string Asked::host() const {
  return name.value_or(to_string(address));
}

bool Asked::is_stale() const {
  return !name && GivenAddresses::holds(address);
}

std::string Asked::missing_rule() const {
  if (is_stale()) {
    return {};
  }
  return to_string(name ? egress::rule_for(*name, port) : egress::rule_for(address, port));
}

Asked asked_for(const Destination& address, std::uint16_t port, const GivenAddresses& given) {
  return {given.name_at(address), address, port};
}

} // namespace pyro::gateway
