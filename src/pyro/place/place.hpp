// Where a workspace may live: this machine, or a node that a scheduler lends. As a user writes it: "here",
// "slurm:PARTITION[,qos=NAME][,account=NAME]". Pure; what Slurm says of it: slurm.hpp.
#pragma once

#include <string>
#include <string_view>

namespace pyro::place {

enum class PlaceKind { here, slurm };

struct Place {
  PlaceKind kind = PlaceKind::here;
  std::string partition; // of slurm, as the others
  std::string qos;       // empty: the user's default
  std::string account;   // empty: the user's default

  bool operator==(const Place&) const = default;
};

/// Error(invalid_argument) that says how a place is written.
Place parse_place(std::string_view text);

/// As it is written.
std::string to_string(const Place& place);

} // namespace pyro::place
