// What makes a guest unlike every other that was cloned from the same one: random numbers, clock, names,
// network.
#pragma once

#include <pyro/protocol/guest_boot.hpp>

namespace pyro::agent {

/// In this order, before any process of the user's runs: the random pool is fed and reseeded, the clock set,
/// host name and machine id are fresh, the network is up. The kernel makes the boot id when it is first read,
/// which nobody does before; so it is fresh too.
void take_identity(const protocol::GuestEnter& enter);

} // namespace pyro::agent
