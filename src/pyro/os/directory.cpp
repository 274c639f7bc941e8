#include "directory.hpp"

#include "fd.hpp"
#include "random.hpp"

#include <pyro/base/error.hpp>

#include <sys/stat.h>

#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

namespace pyro::os {

namespace {

struct DirCloser {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

using Dir = std::unique_ptr<DIR, DirCloser>;

Dir dir_from(Fd fd) {
  Dir directory(::fdopendir(fd.get()));
  if (!directory) {
    throw Error::from_errno(errno, "fdopendir");
  }
  fd.release();
  return directory;
}

std::vector<std::string> names_in(DIR* directory) {
  std::vector<std::string> names;
  errno = 0;
  while (const auto* entry = ::readdir(directory)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") {
      names.emplace_back(name);
    }
    errno = 0;
  }
  if (errno != 0) {
    throw Error::from_errno(errno, "readdir");
  }
  return names;
}

Fd open_directory_at(int parent, const std::string& name) {
  const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  int fd = ::openat(parent, name.c_str(), flags);
  if (fd < 0 && errno == EACCES && ::fchmodat(parent, name.c_str(), 0700, 0) == 0) {
    fd = ::openat(parent, name.c_str(), flags);
  }
  if (fd < 0) {
    throw Error::from_errno(errno, fmt::format("open directory {}", name));
  }
  return Fd(fd);
}

void remove_entry(int parent, const std::string& name);

void remove_content(Fd fd) {
  const int directory_fd = fd.get();

  struct stat status {};

  // A directory of ours that was made read-only must not keep its content.
  if (::fstat(directory_fd, &status) == 0 && (status.st_mode & 0700) != 0700) {
    std::ignore = ::fchmod(directory_fd, 0700);
  }
  const auto directory = dir_from(std::move(fd));
  for (const auto& name : names_in(directory.get())) {
    remove_entry(::dirfd(directory.get()), name);
  }
}

void remove_entry(int parent, const std::string& name) {
  if (::unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT) {
    return;
  }
  const int error_number = errno;
  if (error_number != EISDIR && error_number != EPERM) {
    throw Error::from_errno(error_number, fmt::format("remove {}", name));
  }
  remove_content(open_directory_at(parent, name));
  if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) < 0 && errno != ENOENT) {
    throw Error::from_errno(errno, fmt::format("remove directory {}", name));
  }
}

} // namespace

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

std::vector<std::string> list_directory(const std::string& path) {
  auto fd = maybe_open(path, O_RDONLY | O_DIRECTORY);
  if (!fd) {
    return {};
  }
  auto names = names_in(dir_from(std::move(*fd)).get());
  std::sort(names.begin(), names.end());
  return names;
}

void remove_tree(const std::string& path) {
  const std::filesystem::path whole(path);
  const auto parent = whole.parent_path().string();
  const auto directory = maybe_open(parent.empty() ? "." : parent, O_RDONLY | O_DIRECTORY);
  if (!directory) {
    return;
  }
  try {
    remove_entry(directory->get(), whole.filename().string());
  } catch (Error& error) {
    throw error.add_context(fmt::format("removing {}", path));
  }
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
