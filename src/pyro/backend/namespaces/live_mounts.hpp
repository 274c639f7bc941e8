// Directories of this machine that show inside as they are (LaunchSpec::live_mounts): opened without
// following a symlink, never with the mounts below them, without setuid and devices.
#pragma once

#include <pyro/backend/launch_spec.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/id_space.hpp>

#include <optional>
#include <string>
#include <vector>

namespace pyro::backend::namespaces {

/// As root, outside: with the ids of its owner and of the user inside for each other's, attached nowhere yet.
os::Fd map_live_mount(const LiveMount& mount, const os::IdSpace& sandbox);

/// As an ordinary user, in the new mount namespace and with the ids of the outside.
std::vector<os::Fd> open_live_mounts(const LaunchSpec& spec);

/// The directories to mount on, as the lowest layer of the part: so they are in no writable one, where they
/// would be a change of the workspace's content. Its path in the staging area; nullopt: none are in this
/// part.
std::optional<std::string> make_mount_points(const LaunchSpec& spec, const std::string& part);

} // namespace pyro::backend::namespaces
