// What this machine can do for namespace sandboxes, found out by trying.
#pragma once

#include <pyro/backend/backend.hpp>

#include <vector>

namespace pyro::backend::namespaces {

/// For `doctor`, one line each: user namespaces, ids, overlay, id-mapped mounts, cgroups, egress, Landlock.
std::vector<Check> probe_machine();

bool can_connect_to_network();
bool can_limit_resources();

} // namespace pyro::backend::namespaces
