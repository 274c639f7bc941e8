// The command line of Firecracker's jailer, and where things are inside of its jail and outside.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pyro::backend::firecracker {

struct JailerOptions {
  std::string jailer;    // absolute path of the program
  std::string exec_file; // of Firecracker; its name must contain "firecracker"
  std::string id;        // letters, digits and -, at most 64
  std::uint32_t uid = 0; // whom Firecracker becomes; never root
  std::uint32_t gid = 0;
  std::string chroot_base_dir;
  std::optional<std::string> netns; // path of a network namespace
  int cgroup_version = 2;
  std::string parent_cgroup;                               // empty: the jailer's own choice
  std::vector<std::pair<std::string, std::string>> cgroup; // {"memory.max", "268435456"}
  std::optional<std::uint64_t> max_file_size;              // bytes
  std::optional<std::uint64_t> max_open_files;
};

/// Where Firecracker listens, inside of the jail.
inline constexpr const char* k_api_socket_in_jail = "/run/firecracker.socket";

/// argv for the jailer. Throws Error(invalid_argument) for what the jailer would refuse, and for root.
std::vector<std::string> jailer_arguments(const JailerOptions& options);

/// The directory that is / inside: <base>/<name of exec file>/<id>/root.
std::string jail_root(const JailerOptions& options);
/// The directory above it, with which everything of this jail goes.
std::string jail_directory(const JailerOptions& options);
/// A path inside ("/run/firecracker.socket") as it is on the host.
std::string path_on_host(const JailerOptions& options, const std::string& path_in_jail);

/// Turns any name into an id that the jailer takes: other characters become -, and what is too long is cut
/// and told apart by its digest.
std::string jail_id_of(const std::string& name);

} // namespace pyro::backend::firecracker
