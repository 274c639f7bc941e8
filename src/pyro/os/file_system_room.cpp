#include "file_system_room.hpp"

#include <pyro/base/error.hpp>

#include <linux/magic.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

#include <cerrno>

namespace pyro::os {

namespace {

Copies copies_on(const struct statfs& system) {
  switch (static_cast<std::uint32_t>(system.f_type)) {
  case EXT4_SUPER_MAGIC: // and its predecessors
  case TMPFS_MAGIC:
    return Copies::take_their_size;
  case BTRFS_SUPER_MAGIC:
  case 0x2FC12FC1: // zfs
  case 0xCA451A4E: // bcachefs
    return Copies::may_take_less;
  default:
    return Copies::may_share_large_files;
  }
}

} // namespace

FileSystemRoom file_system_room(const std::string& directory) {
  struct statvfs sizes {};

  struct statfs kind {};

  if (::statvfs(directory.c_str(), &sizes) != 0 || ::statfs(directory.c_str(), &kind) != 0) {
    throw Error::from_errno(errno, "ask for the free space of " + directory);
  }
  return {
      static_cast<std::uint64_t>(sizes.f_bavail) * sizes.f_frsize,
      static_cast<std::uint64_t>(sizes.f_blocks) * sizes.f_frsize, copies_on(kind)};
}

} // namespace pyro::os
