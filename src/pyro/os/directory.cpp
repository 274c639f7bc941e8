#include "directory.hpp"

#include "fd.hpp"
#include "random.hpp"
#include "tree_walk.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/safe_text.hpp>

#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>
#include <utility>

namespace pyro::os {

namespace {

std::vector<std::string> sorted_names(const std::optional<Fd>& fd) {
  return fd ? names_from_here(fd->get()) : std::vector<std::string>{};
}

} // namespace

std::string working_directory() {
  auto path = std::filesystem::current_path().string();
  require_utf8(path, "the path of the working directory");
  return path;
}

void make_directories(const std::string& path, mode_t mode) {
  if (path.empty() || ::mkdir(path.c_str(), mode) == 0) {
    return;
  }
  const int error_number = errno;
  if (error_number == EEXIST && is_directory(path)) {
    return;
  }
  if (error_number != ENOENT) {
    throw Error::from_errno(error_number, fmt::format("create directory {}", path));
  }
  make_directories(std::filesystem::path(path).parent_path().string(), mode);
  if (::mkdir(path.c_str(), mode) < 0 && errno != EEXIST) {
    throw Error::from_errno(errno, fmt::format("create directory {}", path));
  }
}

std::optional<Fd> maybe_open_own_directory(const std::string& path) {
  open_how how{};
  how.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  how.resolve = RESOLVE_NO_SYMLINKS;
  const auto fd = ::syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof(how));
  if (fd >= 0) {
    return Fd(static_cast<int>(fd));
  }
  const int error_number = errno;
  if (error_number == ENOENT || error_number == ENOTDIR) {
    return std::nullopt;
  }
  if (error_number == ELOOP) {
    throw Error(ErrorCode::permission, "{} is a symlink, or lies behind one", path)
        .with_hint("pyro makes no symlinks there: remove it and run the same command again");
  }
  throw Error::from_errno(error_number, fmt::format("open {}", path));
}

std::vector<std::string> list_directory(const std::string& path) {
  return sorted_names(maybe_open_own_directory(path));
}

std::vector<std::string> list_any_directory(const std::string& path) {
  return sorted_names(maybe_open(path, O_RDONLY | O_DIRECTORY));
}

bool exists(const std::string& path) {
  struct stat status {};

  return ::lstat(path.c_str(), &status) == 0;
}

bool is_directory(const std::string& path) {
  struct stat status {};

  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

TempDir::TempDir(const std::string& parent, const std::string& prefix)
    : m_path(fmt::format("{}/{}-{}", parent, prefix, random_hex(8))) {
  make_directories(m_path);
}

TempDir::TempDir(TempDir&& other) noexcept : m_path(std::exchange(other.m_path, {})) {
}

TempDir::~TempDir() {
  if (!m_path.empty()) {
    try {
      remove_tree(m_path);
    } catch (const Error&) {
      // What is left is found by the garbage collection of the next command; a destructor cannot tell
      // anybody.
    }
  }
}

std::string TempDir::release() {
  return std::exchange(m_path, {});
}

} // namespace pyro::os
