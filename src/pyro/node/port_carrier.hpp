// `pyro-node carry`: the process on this machine that listens for the published ports of one workspace
// elsewhere, and carries each connection through a session of its own to the lease
// (docs/decisions/0087). Nothing of it has to be cleaned up: the kernel takes all with the process.
#pragma once

#include <pyro/place/placed.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace pyro::node {

/// Until the workspace's record or its lease is gone. `base` is the state directory, `key` the record's;
/// `program` is pyro-node as the node has it. Another one that carries for it: nothing is done. The exit
/// status.
int carry_ports(const std::string& base, const std::string& key, const std::string& program);

/// The process that carries its ports; nullopt: there is none.
std::optional<std::int64_t> port_carrier_of(const place::PlacedRecords& records, const place::Placed& placed);

/// Starts it where it does not run.
void ensure_port_carrier(
    const place::PlacedRecords& records, const place::Placed& placed, const std::string& program);

/// Ends it and waits until nobody listens any more. What it last listened at stays in its file, for the next.
void end_port_carrier(const place::PlacedRecords& records, const place::Placed& placed);

} // namespace pyro::node
