// Files of a directory whose owner may point out of it with symlinks: followed as long as they stay inside.
// Where no symlink is to be followed at all: maybe_open_beneath() (fd.hpp).
#pragma once

#include "fd.hpp"

#include <optional>
#include <string>

namespace pyro::os {

/// A relative path below `directory`, opened with RESOLVE_BENEATH. nullopt: not there. Error(permission)
/// where a symlink leads out, or is absolute.
std::optional<Fd> maybe_open_inside(const std::string& directory, const std::string& relative, int flags);

/// A regular file opened that way, whole; anything else that lies there is refused (invalid_file).
std::optional<std::string>
maybe_read_inside(const std::string& directory, const std::string& relative, std::size_t limit);

/// Where the path leads to, without symlinks and absolute. nullopt: not there.
std::optional<std::string> maybe_path_inside(const std::string& directory, const std::string& relative);

/// Opens what was found before (maybe_path_inside(), weakly_canonical()): no symlink was on its path, and
/// none may be now. Error(stale) where somebody put one there meanwhile, which would lead elsewhere.
Fd open_found(const std::string& path, int flags);
/// A regular file, for reading. Error(invalid_argument) for anything else.
Fd open_found_file(const std::string& path);

} // namespace pyro::os
