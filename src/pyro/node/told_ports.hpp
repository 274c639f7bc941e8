// Ports in what a node says of a workspace: there they are of no machine (Settings::ports_elsewhere), here
// they become those that this machine listens at for it (port_carrier.hpp).
#pragma once

#include "carried_ports.hpp"

#include <pyro/base/json_access.hpp>
#include <pyro/place/placed.hpp>
#include <pyro/workspace/context/project.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace pyro::node {

inline constexpr std::chrono::seconds k_patience_with_ports{10};

/// Error(already_exists) for a port of this machine that the file names and somebody else has.
void require_free_ports(
    const place::PlacedRecords& records, const place::Placed& placed,
    const workspace::LoadedProject& project);

/// Addresses of this machine at which the file publishes ports.
std::vector<std::string> published_addresses(const workspace::LoadedProject& project);

/// Sees to it that they are carried, and fills in the numbers; waits for them for so long. Those that nobody
/// listens at stay at 0. Returns why, a text for each.
std::vector<std::string> fill_ports(
    const place::PlacedRecords& records, const place::Placed& placed, const std::string& program,
    std::chrono::milliseconds patience, Json& told);

} // namespace pyro::node
