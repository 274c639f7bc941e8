// The kernel modules of a guest, from its initramfs.
#pragma once

namespace pyro::agent {

/// Loads what /modules/order names, in that order, and frees their memory in the initramfs.
void load_modules();

} // namespace pyro::agent
