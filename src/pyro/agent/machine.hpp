// What the agent does to the sandbox as a machine: secrets, clock, identity, sync.
#pragma once

#include "runtime.hpp"

#include <pyro/protocol/call.hpp>

namespace pyro::agent {

/// Adds /secrets/put, /authority, /clock/set, /identity and /sync to the router; `runtime` must outlive it.
void add_machine_operations(protocol::Router& router, Runtime& runtime);

} // namespace pyro::agent
