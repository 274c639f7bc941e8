#include "content_compare.hpp"

#include <pyro/os/same_content.hpp>

namespace pyro::store {

bool same_metadata(const struct stat& one, const struct stat& other) {
  return one.st_mode == other.st_mode && one.st_uid == other.st_uid && one.st_gid == other.st_gid;
}

bool same_content(const Found& one, const Found& other) {
  if (one.is_symlink()) {
    return one.status.st_size == other.status.st_size && one.link_target() == other.link_target();
  }
  if (!one.is_file()) {
    return true;
  }
  if (one.status.st_size != other.status.st_size) {
    return false;
  }
  if (one.status.st_dev == other.status.st_dev && one.status.st_ino == other.status.st_ino) {
    return true;
  }
  return os::same_bytes(one.open().get(), other.open().get());
}

} // namespace pyro::store
