// The environments `dir:PATH` and `tar:PATH`: somebody else's root file system as one layer.
#pragma once

#include "cache.hpp"

#include <pyro/base/json_access.hpp>

#include <string>
#include <vector>

namespace pyro::environment {

/// Changes when anything below the directory does, as far as names, modes, owners, sizes and times tell.
/// Reads no file.
struct DirectoryStamp {
  std::string stamp;
  bool too_fresh = false; // something changed so lately that the stamp must not be remembered
};

DirectoryStamp stamp_directory(const std::string& path);

/// Copies the directory to `tree`, with owners, modes, links, holes and extended attributes; anything else
/// (devices, sockets, whiteouts) is left out. Error(input_missing) where it is no directory;
/// Error(invalid_argument) where one of `private_paths` (pyro's own state) lies in it.
Json import_directory(
    const std::string& path, const std::string& tree, const std::vector<std::string>& private_paths);

/// Unpacks a tar archive of a root file system to `tree`; set-user-id bits, owners and capabilities are kept.
Json import_archive(const std::string& path, const std::string& tree);

} // namespace pyro::environment
