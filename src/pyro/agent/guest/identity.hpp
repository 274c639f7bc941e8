// What makes a guest unlike every other that was cloned from the same one: random numbers, clock, names,
// network.
#pragma once

#include <pyro/protocol/guest_boot.hpp>

namespace pyro::agent {

/// What take_identity() needs, made once the root is there and before the guest is saved.
void prepare_identity();

/// In this order, before any process of the user's runs: the random pool is fed and reseeded, the clock set,
/// host name and machine id are fresh, the network is up. The kernel makes the boot id when it is first read,
/// which nobody does before; so it is fresh too.
void take_identity(const protocol::GuestEnter& enter);

/// What renew_identity() needs, made before the guest is saved, so that its clones have little left to do.
void prepare_renewal();

/// The same as take_identity() for a clone of a guest that had an identity already and may have read its boot
/// id, which gets another one. The network card stays as it is. While every process stands still.
void renew_identity(const protocol::GuestEnter& enter);

/// Sets the wall clock (milliseconds since 1970, UTC).
void set_clock(std::int64_t epoch_ms);

} // namespace pyro::agent
