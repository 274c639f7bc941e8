// What this machine can do for namespace sandboxes, found out by trying.
#pragma once

#include <pyro/backend/backend.hpp>

#include <string>
#include <vector>

namespace pyro::backend::namespaces {

/// For `doctor`, the same names in the same order on every machine (docs/doctor.md). `staging`: where it is
/// tried whether sandboxes can have their writable layer there.
std::vector<Check> probe_machine(const std::string& staging);

bool can_connect_to_network();

} // namespace pyro::backend::namespaces
