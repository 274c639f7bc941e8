// The mount system calls by descriptor (open_tree(2), fsmount(2), move_mount(2), mount_setattr(2)) and the
// few old ones that overlayfs still needs. Everything here acts on the mount namespace of the calling
// process.
#pragma once

#include "fd.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pyro::os {

/// A private copy of the mount at `path` (not of mounts below it), attached nowhere yet.
Fd clone_mount(int directory, const std::string& path);

/// Gives a mount that is attached nowhere yet the id map of a user namespace (MOUNT_ATTR_IDMAP, Linux 5.12).
/// False where the file system or the kernel cannot do it.
bool map_ids(int mount, int user_namespace);

/// clone_mount() with such a map; nullopt where it cannot be had.
std::optional<Fd> clone_mount_idmapped(const std::string& path, int user_namespace);

using MountOptions =
    std::vector<std::pair<std::string, std::string>>; // {"mode", "0755"}; empty value: a flag

/// A new file system of this type, attached nowhere yet. `attributes`: MOUNT_ATTR_*.
Fd make_mount(const std::string& type, const MountOptions& options, std::uint64_t attributes);

/// Attaches a mount on the file or directory that `target` is open on.
void attach_mount(int mount, int target);
/// Attaches a mount at a path (relative to the working directory).
void attach_mount(int mount, const std::string& target);

/// Sets MOUNT_ATTR_* on one mount.
void set_mount_attributes(int mount, std::uint64_t attributes);

/// mount(2), for overlay and for propagation changes.
void mount_at(
    const std::string& source, const std::string& target, const std::string& type, unsigned long flags,
    const std::string& data);

/// Is this path's file system an overlay, as the root of a container is? False where it cannot be asked.
bool lies_on_overlay(const std::string& path);

/// Makes every mount of this namespace private, so that nothing travels in or out.
void make_all_mounts_private();

/// pivot_root(".", "."): the working directory becomes "/", the old root lies on top until detach_old_root().
void pivot_root_here();
/// Lets go of the old root of pivot_root_here(); the working directory becomes the new "/".
void detach_old_root();

} // namespace pyro::os
