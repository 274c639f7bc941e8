// How much room a file system has, and whether what is copied to it takes as
// much as it has bytes. For what a tree takes see tree_usage.hpp.
#pragma once

#include <cstdint>
#include <string>

namespace pyro::os {

enum class Copies {
  take_their_size,       // ext4, tmpfs
  may_share_large_files, // by reflinks, within the file system: all that is not known otherwise
  may_take_less,         // shared or compressed, as on btrfs and zfs
};

struct FileSystemRoom {
  std::uint64_t free_bytes = 0; // as an ordinary user may have them
  std::uint64_t total_bytes = 0;
  Copies copies = Copies::may_share_large_files;
};

/// Of the file system of this directory; two system calls. Throws where it
/// cannot be asked.
FileSystemRoom file_system_room(const std::string& directory);

} // namespace pyro::os
