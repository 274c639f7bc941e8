// /proc, /sys, /dev, /run and the masks over them, made inside the new root through descriptors only, so that
// no symlink of a hostile image can lead a mount elsewhere.
#pragma once

#include <pyro/os/fd.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pyro::backend::namespaces {

/// Mounts of the machine's own device nodes, checked to be the devices they are named for.
struct KernelSources {
  KernelSources();

  std::vector<std::pair<std::string, os::Fd>> devices; // {"null", detached mount}
};

/// Call after pivot_root and before the old root is let go: the kernel allows a new /proc only while another
/// is visible. A resolv.conf, a machine id and the environment's hosts with this name cover the
/// environment's own, outside of every layer. Returns notes about what could not be had.
std::vector<std::string> mount_kernel_files(
    const KernelSources& sources, const std::optional<std::string>& resolv_conf,
    const std::string& machine_id, const std::string& hostname);

} // namespace pyro::backend::namespaces
