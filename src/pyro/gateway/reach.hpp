// Which real addresses may be connected to.
#pragma once

#include <pyro/egress/policy.hpp>
#include <pyro/os/fd.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace pyro::gateway {

class Reach {
public:
  Reach();

  /// Neither of this machine, nor of the clouds' services, nor of a private network.
  bool is_public(const Destination& address);

  struct Refusal {
    std::string reason;
    std::string allow; // the line of network.egress that is missing; empty: it is better that it is
  };

  /// Why nobody connects there: nullopt: it is public, or a rule names the address itself.
  std::optional<Refusal>
  refusal(const Destination& address, std::uint16_t port, const egress::Policy& policy);

private:
  bool is_own(const Destination& address);

  os::Fd m_routes;
  std::vector<Destination> m_own; // of this machine
  std::chrono::milliseconds m_looked_at{0};
};

} // namespace pyro::gateway
