// How much of a file system a tree takes, as `du` tells it, and what processes hold there without a name.
#pragma once

#include <cstdint>
#include <string>

namespace pyro::os {

struct TreeUsage {
  std::uint64_t bytes = 0; // allocated, not apparent: a hole costs nothing
  std::uint64_t entries = 0;
  std::string largest; // path of the largest file below the root of the tree; empty: no files
  std::uint64_t largest_bytes = 0;
};

/// Every entry below the open directory. A file with several names counts once.
TreeUsage usage_of_tree(int directory);

/// Files without a name that are still open or mapped by a process of this procfs (an open /proc): they are
/// in no tree, and take room until they are closed. Only those on an overlay count.
TreeUsage usage_of_deleted_files(int proc);

/// Of the file system of this directory, as an ordinary user may have them.
std::uint64_t free_bytes(const std::string& directory);

} // namespace pyro::os
