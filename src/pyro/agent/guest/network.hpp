// The network card of a guest.
#pragma once

#include <pyro/protocol/guest_boot.hpp>

namespace pyro::agent {

/// Gives eth0 the address and route that the host names, else those of QEMU's user network (10.0.2.15/24 by
/// 10.0.2.2), and closes the way to the metadata address of clouds.
void bring_up_network(const protocol::GuestEnter& enter);

} // namespace pyro::agent
