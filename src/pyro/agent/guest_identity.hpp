// What makes a guest unlike every other that was cloned from the same one: random numbers, clock, names,
// network.
#pragma once

#include <pyro/protocol/guest_boot.hpp>

namespace pyro::agent {

/// In this order, before any process of the user's runs: the random pool is fed and reseeded, the clock set,
/// host name, machine id and boot id are fresh, the network is up.
void take_identity(const protocol::GuestEnter& enter);

} // namespace pyro::agent
