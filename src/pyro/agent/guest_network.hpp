// The network card of a guest.
#pragma once

namespace pyro::agent {

/// Gives eth0 the address and route of QEMU's user network (10.0.2.15/24 by 10.0.2.2) and closes the way to
/// the metadata address of clouds.
void bring_up_network();

} // namespace pyro::agent
