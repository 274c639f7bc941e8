#include "write_back.hpp"

#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <tuple>

namespace pyro::os {

namespace {

constexpr std::array<unsigned long, 3> k_marking{
    0xEF53UL /* ext */, 0x58465342UL /* xfs */, 0x9123683EUL /* btrfs */};

} // namespace

bool marks_mapped_stores(int fd) {
  struct statfs system {};

  return fstatfs(fd, &system) == 0
         && std::find(k_marking.begin(), k_marking.end(), static_cast<unsigned long>(system.f_type))
                != k_marking.end();
}

void start_write_back(int fd) {
  std::ignore = sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

bool finish_write_back(int fd) {
  constexpr unsigned k_all = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
  while (sync_file_range(fd, 0, 0, k_all) != 0) {
    if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

} // namespace pyro::os
