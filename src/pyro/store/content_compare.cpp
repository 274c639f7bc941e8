#include "content_compare.hpp"

#include <array>
#include <cstring>

namespace pyro::store {

namespace {

/// Fills the buffer unless the file ends: read(2) may give less than there is.
std::size_t read_full(int fd, std::span<char> buffer) {
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    const auto count = os::read_some(fd, buffer.subspan(filled));
    if (!count || *count == 0) {
      break;
    }
    filled += *count;
  }
  return filled;
}

bool same_bytes(int one, int other) {
  std::array<char, 64 << 10> left;
  std::array<char, 64 << 10> right;
  while (true) {
    const std::size_t count = read_full(one, left);
    if (count != read_full(other, right) || std::memcmp(left.data(), right.data(), count) != 0) {
      return false;
    }
    if (count < left.size()) {
      return true;
    }
  }
}

} // namespace

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
  return same_bytes(one.open().get(), other.open().get());
}

} // namespace pyro::store
