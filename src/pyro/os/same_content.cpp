#include "same_content.hpp"

#include "fd.hpp"

#include <array>
#include <cstring>

namespace pyro::os {

namespace {

/// Fills the buffer unless the file ends: read(2) may give less than there is.
std::size_t read_full(int fd, std::span<char> buffer) {
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    const auto count = read_some(fd, buffer.subspan(filled));
    if (!count || *count == 0) {
      break;
    }
    filled += *count;
  }
  return filled;
}

} // namespace

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

} // namespace pyro::os
