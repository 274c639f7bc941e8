#include "disk_reserve.hpp"

#include "layout.hpp"

#include <sys/file.h>

#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace pyro::store {

namespace {

constexpr off_t k_size = 1 << 20;
constexpr off_t k_step = 16 << 10; // so that others who fill the disk get next to nothing of what is left

os::Fd open_reserve(const std::string& path) {
  return os::Fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
}

/// Tried, not asked for: what a file system says is free need not be free for this user.
bool has_room(const std::string& directory) {
  const os::Fd trial(::open(directory.c_str(), O_RDWR | O_TMPFILE | O_CLOEXEC, 0600));
  return trial && ::posix_fallocate(trial.get(), 0, k_size) == 0;
}

} // namespace

void keep_reserve(const std::string& path) {
  struct stat status {};

  const bool is_there = ::lstat(path.c_str(), &status) == 0;
  if (is_there && (status.st_size >= k_size || !S_ISREG(status.st_mode))) {
    return;
  }
  const auto file = open_reserve(path);
  if (!file || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    return; // it matters to nobody before the disk is full; or it is lent
  }
  const auto has = is_there ? status.st_size : 0;
  auto size = k_size;
  while (size > has && ::posix_fallocate(file.get(), 0, size) != 0) {
    size -= k_step;
  }
}

LentReserve::LentReserve(const Base& base) : m_path(base.reserve()) {
  base.prepare();
  if (has_room(base.root())) {
    return;
  }
  m_lent = open_reserve(m_path);
  if (m_lent && ::flock(m_lent.get(), LOCK_SH | LOCK_NB) == 0) {
    std::ignore = ::ftruncate(m_lent.get(), 0);
  }
}

LentReserve::~LentReserve() {
  if (m_lent) {
    std::ignore = ::flock(m_lent.get(), LOCK_UN); // also of a child that cleans up in the background
    m_lent.reset();
    keep_reserve(m_path);
  }
}

} // namespace pyro::store
