// Writes cpio archives of the "newc" format, which Linux unpacks as its initramfs. For archives of trees see
// archive_writer.hpp.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace pyro::os {

struct CpioEntry {
  std::string path;      // relative: "modules/virtio.ko"; directories before what is in them
  mode_t mode = 0;       // with its type: S_IFREG, S_IFDIR, S_IFCHR, S_IFLNK
  std::string content{}; // of a file, or where a link points
  unsigned device_major = 0;
  unsigned device_minor = 0;
};

/// The bytes depend on the entries and nothing else: owner 0, time 0, uncompressed. Device nodes are written
/// as such, for which nobody needs a privilege.
void write_cpio(int output, const std::vector<CpioEntry>& entries);

} // namespace pyro::os
