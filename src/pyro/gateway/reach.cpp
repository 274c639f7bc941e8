#include "reach.hpp"

#include <pyro/egress/reserved.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/local_routes.hpp>
#include <pyro/os/netlink.hpp>

#include <fmt/format.h>

namespace pyro::gateway {

namespace {

constexpr std::chrono::milliseconds k_validity{1'000};

} // namespace

Reach::Reach() : m_routes(os::open_route_netlink()) {
}

bool Reach::is_own(const Destination& address) {
  const auto now = os::now_monotonic();
  if (m_own.empty() || now - m_looked_at > k_validity) {
    m_own = egress::with_translated(os::local_destinations(m_routes.get()));
    m_looked_at = now;
  }
  return egress::is_in(m_own, address);
}

bool Reach::is_public(const Destination& address) {
  return !egress::is_in(egress::forbidden_destinations(), address)
         && !egress::is_in(egress::private_destinations(), address) && !is_own(address);
}

std::optional<Reach::Refusal>
Reach::refusal(const Destination& address, std::uint16_t port, const egress::Policy& policy) {
  if (policy.names_address(address, port) || is_public(address)) {
    return std::nullopt;
  }
  const bool is_elsewhere = egress::is_in(egress::private_destinations(), address) && !is_own(address);
  return Refusal{
      fmt::format(
          "{} is an address of {}, which network.egress must name itself", to_string(address),
          is_elsewhere ? "a private network" : "this machine"),
      is_elsewhere ? to_string(egress::rule_for(address, port)) : ""};
}

} // namespace pyro::gateway
