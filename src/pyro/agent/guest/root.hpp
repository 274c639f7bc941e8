// The root file system of a guest: overlays over the images, kernel file systems in it.
#pragma once

#include <pyro/os/fd.hpp>
#include <pyro/protocol/guest_boot.hpp>

namespace pyro::agent {

/// Makes the overlays and moves into them: "/" is the workspace's root from here on. Returns the directory
/// that holds <part>/upper of every overlay, which has no name any more.
os::Fd enter_guest_root(const protocol::GuestMount& mount);

/// /proc, /sys, /dev, /run as every sandbox has them.
void mount_kernel_files();

} // namespace pyro::agent
