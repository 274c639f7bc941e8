// What places there are, and what of them is free.
#pragma once

#include "placed.hpp"

#include <pyro/base/json_access.hpp>

#include <string>

namespace pyro::place {

/// {"places": [{"on", "kind", "available", …}]}: this machine, then every partition of Slurm where there is
/// one. Slurm that is there and does not answer is a place that is not available, with the reason. `only`:
/// one place, as it is written; Error(not_found) where there is none. Empty: all.
Json describe_places(const PlacedRecords& records, const std::string& only);

} // namespace pyro::place
