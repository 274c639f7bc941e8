// What a client of the workspace connected to.
#pragma once

#include "common.hpp"

#include <optional>
#include <string>

namespace pyro::gateway {

struct Asked {
  std::optional<std::string> name; // nullopt: an address that no name was given
  Destination address;
  std::uint16_t port = 0;

  /// Its name, or the address.
  std::string host() const;
  /// An address for names that stands for none now.
  bool is_stale() const;
  /// The line of network.egress that would allow it; "": none would.
  std::string missing_rule() const;
};

Asked asked_for(const Destination& address, std::uint16_t port, const GivenAddresses& given);

} // namespace pyro::gateway
