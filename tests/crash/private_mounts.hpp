// A mount namespace of this process alone, for tests that need a small disk or one that is read-only: nothing
// of it is seen outside, and all of it is gone with the process.
#pragma once

#include <filesystem>
#include <string>

namespace pyro::testing {

/// Enters one, once per process; only as root. Returns why not; empty: done.
std::string enter_private_mounts();

/// An empty file system in memory of this size at `place`.
void mount_small_disk(const std::filesystem::path& place, const std::string& size);
/// Throws std::runtime_error where something still uses it.
void unmount(const std::filesystem::path& place);
/// For this namespace, of which all that is started from now on is part.
void make_read_only(const std::filesystem::path& place);

} // namespace pyro::testing
