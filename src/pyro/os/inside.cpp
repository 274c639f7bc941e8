#include "inside.hpp"

#include "regular_file.hpp"

#include <pyro/base/error.hpp>

#include <linux/openat2.h>
#include <sys/syscall.h>

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace pyro::os {

std::optional<Fd> maybe_open_inside(const std::string& directory, const std::string& relative, int flags) {
  const auto root = maybe_open(directory, O_PATH | O_DIRECTORY);
  if (!root) {
    return std::nullopt;
  }
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  constexpr int k_attempts = 100; // a rename raced with the checks, or a signal came
  long fd = -1;
  for (int attempt = 0; attempt < k_attempts; ++attempt) {
    fd = ::syscall(SYS_openat2, root->get(), relative.c_str(), &how, sizeof(how));
    if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) {
      break;
    }
  }
  if (fd >= 0) {
    return Fd(static_cast<int>(fd));
  }
  const int error_number = errno;
  if (error_number == ENOENT || error_number == ENOTDIR) {
    return std::nullopt;
  }
  if (error_number == EXDEV) {
    throw Error(ErrorCode::permission, "{} leads out of {}", relative, directory);
  }
  throw Error::from_errno(error_number, fmt::format("open {}/{}", directory, relative));
}

std::optional<std::string>
maybe_read_inside(const std::string& directory, const std::string& relative, std::size_t limit) {
  const auto path = fmt::format("{}/{}", directory, relative);
  const auto place = maybe_open_inside(directory, relative, O_PATH);
  if (!place) {
    return std::nullopt;
  }
  try {
    return read_all(reopen_regular(*place, path).get(), limit);
  } catch (Error& error) {
    if (error.code() == ErrorCode::invalid_argument) {
      error.with_code(ErrorCode::invalid_file);
    }
    throw error.add_context(fmt::format("reading {}", path));
  }
}

std::optional<std::string> maybe_path_inside(const std::string& directory, const std::string& relative) {
  const auto fd = maybe_open_inside(directory, relative, O_PATH);
  if (!fd) {
    return std::nullopt;
  }
  std::error_code error;
  const auto path =
      std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd->get()), error).string();
  if (error) {
    throw Error::from_errno(error.value(), fmt::format("look at {}/{}", directory, relative));
  }
  return path;
}

Fd open_found(const std::string& path, int flags) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  long fd = -1;
  do {
    fd = ::syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof(how));
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) {
    const int error_number = errno;
    if (error_number == ELOOP) {
      throw Error(ErrorCode::stale, "{} changed while it was read: a symlink is in its way now", path);
    }
    throw Error::from_errno(error_number, fmt::format("open {}", path));
  }
  return Fd(static_cast<int>(fd));
}

Fd open_found_file(const std::string& path) {
  return reopen_regular(open_found(path, O_PATH), path);
}

} // namespace pyro::os
