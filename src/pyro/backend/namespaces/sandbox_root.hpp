// The file system of a sandbox: overlays for the root and its parts, then /proc, /sys, /dev, /run, masks.
// Runs in the new namespaces, single-threaded, before anything of the user's exists.
#pragma once

#include <pyro/backend/launch_spec.hpp>
#include <pyro/os/fd.hpp>

#include <string>
#include <vector>

namespace pyro::backend::namespaces {

/// Mounts made outside with the sandbox's id map; empty Fds where plain paths serve (ordinary users).
struct MappedMounts {
  os::Fd layers;
  os::Fd generation;
  std::vector<os::Fd> host_dirs; // in the order of RootStack::host_dirs
  std::vector<os::Fd> binds;     // in the order of LaunchSpec::binds
  std::vector<os::Fd> live;      // in the order of LaunchSpec::live_mounts, whoever made them
};

/// Mounts the staging tmpfs on runtime_dir/root and makes it the working directory. Must run while the
/// process still has the ids of the outside, which alone can reach the directory.
void enter_staging(const LaunchSpec& spec);

/// Builds the root in the staging area, pivots into it and lets go of the old one. Ids must be those of the
/// inside. `resolv_conf`: for sandboxes with a way out. `hostname`: what it is called, in /etc/hosts. Returns
/// what could not be had ("no /sys: ...").
std::vector<std::string> enter_sandbox_root(
    const LaunchSpec& spec, const MappedMounts& mapped, const std::string& resolv_conf,
    const std::string& hostname);

} // namespace pyro::backend::namespaces
