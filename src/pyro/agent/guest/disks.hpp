// The disks of a guest: images of layers, one after the other on the first, and the scratch disk.
#pragma once

#include <pyro/protocol/guest_boot.hpp>

namespace pyro::agent {

/// Where this mounts things before the root is entered.
namespace guest_path {
inline constexpr const char* k_layers = "/run/pyro-guest/layers";   // <index>, bottom to top
inline constexpr const char* k_parts = "/run/pyro-guest/parts";     // <name>
inline constexpr const char* k_scratch = "/run/pyro-guest/scratch"; // gen/<part>/upper, work/<part>
inline constexpr const char* k_root = "/run/pyro-guest/root";
} // namespace guest_path

/// Mounts every image read-only (EROFS) and the scratch disk. What the kernel had read of the disks before,
/// in a guest that was cloned, is forgotten first.
void mount_disks(const protocol::GuestMount& mount);

} // namespace pyro::agent
