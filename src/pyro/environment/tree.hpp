// A tree described in memory and then written at once by a process that may give files their owners. For an
// ordinary user the two must be apart: inside the user namespace that may, the owners of this machine's files
// cannot be seen any more.
#pragma once

#include <sys/stat.h>

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

namespace pyro::environment {

/// Directories that every root has, for what is mounted there and for who runs in it.
inline constexpr std::array<std::pair<const char*, mode_t>, 9> k_mount_points{
    {{"dev", 0755},
     {"proc", 0555},
     {"sys", 0555},
     {"run", 0755},
     {"tmp", 01777},
     {"root", 0700},
     {"etc", 0755},
     {"home", 0755},
     {"workspace", 0755}}};

struct PlannedEntry {
  enum class Kind { directory, opaque_directory, copied_file, written_file, symlink, whiteout };

  Kind kind = Kind::directory;
  mode_t mode = 0755;
  uid_t uid = 0;
  gid_t gid = 0;
  timespec mtime{};   // zero: when it is written
  std::string text{}; // the file to copy, the content, or where the link points
};

/// By path relative to the root, parents before children. The root is "".
using PlannedTree = std::map<std::string, PlannedEntry>;

PlannedEntry planned_directory(mode_t mode = 0755);
PlannedEntry planned_file(std::string content, mode_t mode = 0644);
PlannedEntry planned_symlink(std::string target);
/// With mode, owner and time of something that is there.
PlannedEntry planned_like(PlannedEntry::Kind kind, const struct stat& status, std::string text = {});

/// Adds path and everything below `from` that everybody may read; other files are left out, directories that
/// not everybody may list are planned empty. `wanted` gets paths in the tree. Returns the bytes of the files
/// planned.
std::uint64_t plan_public_copy(
    PlannedTree& plan, const std::string& from, const std::string& path,
    const std::function<bool(const std::string& path)>& wanted = {});

/// Writes it below `tree`, which is created, with the ids of the inside (os::IdSpace). Owners that do not
/// exist inside become root. Files to copy that vanished or are no longer public are left out.
void write_planned_tree(const PlannedTree& plan, const std::string& tree);

/// Makes sure that an imported tree can be started: mount points, /etc/hosts, /etc/resolv.conf where they are
/// missing. Must run with the ids of the inside. Follows no symlink of the tree.
void complete_root(int tree);

enum class Existing { keep, replace };

/// A small file in a tree that somebody else filled, through openat2 beneath. Where a symlink is in the way
/// of its directory nothing is written.
void put_file(
    int tree, const std::string& path, std::string_view content, Existing existing, mode_t mode = 0644);

/// The machine's name servers as a file for the inside.
std::string resolver_configuration(const std::string& host_root = "");

inline constexpr std::string_view k_hosts_file =
    "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";
/// /usr/sbin/policy-rc.d: packages installed in a sandbox start no services.
inline constexpr std::string_view k_policy_rc = "#!/bin/sh\nexit 101\n";

} // namespace pyro::environment
