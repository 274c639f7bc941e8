#include "regular_file.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/interruption.hpp>

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <tuple>
#include <unistd.h>

namespace pyro::os {

namespace {

constexpr int k_read_flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

} // namespace

const char* name_of_type(mode_t mode) {
  switch (mode & S_IFMT) {
  case S_IFIFO:
    return "a FIFO";
  case S_IFSOCK:
    return "a socket";
  case S_IFCHR:
  case S_IFBLK:
    return "a device";
  case S_IFDIR:
    return "a directory";
  case S_IFLNK:
    return "a symlink";
  case S_IFREG:
    return "a regular file";
  default:
    return "of an unknown kind";
  }
}

namespace {

off_t size_of_regular(int fd, const std::string& path) {
  struct stat status {};

  if (::fstat(fd, &status) != 0) {
    throw Error::from_errno(errno, fmt::format("look at {}", path));
  }
  if (!S_ISREG(status.st_mode)) {
    throw Error(
        ErrorCode::invalid_argument, "{} is {}, not a regular file", path, name_of_type(status.st_mode));
  }
  return status.st_size;
}

/// Opens for reading what an O_PATH descriptor stands for, now that it is known to be harmless.
/// `without_proc` is the path to open where there is no /proc (yet); null: none will do.
Fd reopened(const Fd& place, const std::string& path, const char* without_proc) {
  const auto self = fmt::format("/proc/self/fd/{}", place.get());
  Fd file(::open(self.c_str(), k_read_flags));
  if (!file && errno == ENOENT && without_proc != nullptr) {
    file = Fd(::open(without_proc, k_read_flags));
    if (file) {
      std::ignore = size_of_regular(file.get(), path); // another may have taken its place
    }
  }
  if (!file) {
    throw Error::from_errno(errno, fmt::format("open {}", path));
  }
  return file;
}

/// The whole of a regular file that was just opened and had `size` bytes then.
std::string read_whole(int fd, off_t size, std::size_t limit) {
  constexpr off_t k_at_once = 1 << 20;
  if (size <= 0 || size > k_at_once) {
    return read_all(fd, limit); // of /proc: it has no size
  }
  // One byte more than there is: with just what there was it is at its end.
  std::string text(static_cast<std::size_t>(size) + 1, '\0');
  text.resize(read_some(fd, text).value_or(0));
  if (text.size() != static_cast<std::size_t>(size)) {
    text += read_all(fd, limit);
  }
  if (text.size() > limit) {
    throw Error(ErrorCode::protocol, "more than {} bytes where fewer were expected", limit);
  }
  return text;
}

struct OpenFile {
  Fd fd;
  off_t size = 0;
};

std::optional<OpenFile> maybe_open_sized(const std::string& path) {
  const auto place = maybe_open(path, O_PATH);
  if (!place) {
    return std::nullopt;
  }
  const auto size = size_of_regular(place->get(), path);
  return OpenFile{reopened(*place, path, path.c_str()), size};
}

} // namespace

void require_regular(int fd, const std::string& path) {
  std::ignore = size_of_regular(fd, path);
}

std::optional<Fd> maybe_open_regular(const std::string& path) {
  auto file = maybe_open_sized(path);
  return file ? std::optional(std::move(file->fd)) : std::nullopt;
}

Fd reopen_regular(const Fd& place, const std::string& path) {
  require_regular(place.get(), path);
  return reopened(place, path, nullptr);
}

Fd open_regular(const std::string& path) {
  auto file = maybe_open_regular(path);
  if (!file) {
    throw Error::from_errno(ENOENT, fmt::format("open {}", path));
  }
  return std::move(*file);
}

std::optional<Fd> maybe_open_regular_beneath(int directory, const std::string& path) {
  const auto place = maybe_open_beneath(directory, path, O_PATH);
  if (!place) {
    return std::nullopt;
  }
  return reopen_regular(*place, path);
}

std::string read_file(const std::string& path, std::size_t limit) {
  try {
    const auto file = maybe_open_sized(path);
    if (!file) {
      throw Error::from_errno(ENOENT, fmt::format("open {}", path));
    }
    return read_whole(file->fd.get(), file->size, limit);
  } catch (Error& error) {
    throw error.add_context(fmt::format("reading {}", path));
  }
}

std::optional<std::string> maybe_read_file(const std::string& path, std::size_t limit) {
  try {
    const auto file = maybe_open_sized(path);
    return file ? std::optional(read_whole(file->fd.get(), file->size, limit)) : std::nullopt;
  } catch (Error& error) {
    throw error.add_context(fmt::format("reading {}", path));
  }
}

HexDigest digest_of_rest(int fd) {
  Sha256 hash;
  std::array<char, 1 << 16> buffer{};
  while (const auto count = read_some(fd, buffer).value_or(0)) {
    check_interruption();
    hash.update(std::string_view(buffer.data(), count));
  }
  return hash.finish();
}

} // namespace pyro::os
