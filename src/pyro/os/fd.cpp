#include "fd.hpp"

#include <pyro/base/error.hpp>

#include <linux/openat2.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace pyro::os {

namespace {

template <typename Call>
auto retry(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) {
    result = call();
  }
  return result;
}

bool is_absence(int error_number) {
  return error_number == ENOENT || error_number == ENOTDIR;
}

} // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    m_fd = other.release();
  }
  return *this;
}

int Fd::release() {
  return std::exchange(m_fd, -1);
}

void Fd::reset() {
  if (m_fd >= 0) {
    ::close(m_fd); // EINTR still closes on Linux; nothing useful can be done about other failures
    m_fd = -1;
  }
}

Fd open_file(const std::string& path, int flags, mode_t mode) {
  const int fd = retry([&] { return ::open(path.c_str(), flags | O_CLOEXEC, mode); });
  if (fd < 0) {
    throw Error::from_errno(errno, fmt::format("open {}", path));
  }
  return Fd(fd);
}

std::optional<Fd> maybe_open(const std::string& path, int flags, mode_t mode) {
  const int fd = retry([&] { return ::open(path.c_str(), flags | O_CLOEXEC, mode); });
  if (fd < 0) {
    const int error_number = errno;
    if (is_absence(error_number)) {
      return std::nullopt;
    }
    throw Error::from_errno(error_number, fmt::format("open {}", path));
  }
  return Fd(fd);
}

Fd open_at(int directory, const std::string& path, int flags, mode_t mode) {
  const int fd = retry([&] { return ::openat(directory, path.c_str(), flags | O_CLOEXEC, mode); });
  if (fd < 0) {
    throw Error::from_errno(errno, fmt::format("open {}", path));
  }
  return Fd(fd);
}

std::optional<Fd>
maybe_open_beneath(int directory, const std::string& relative_path, int flags, mode_t mode) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  // O_TMPFILE contains the bit of O_DIRECTORY; openat2 refuses a mode where nothing is created.
  const bool creates = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  how.mode = creates ? mode : 0;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  const auto call = [&] {
    return ::syscall(SYS_openat2, directory, relative_path.c_str(), &how, sizeof(how));
  };
  auto fd = retry(call);
  for (int attempt = 0; fd < 0 && errno == EAGAIN && attempt < 100; ++attempt) {
    fd = retry(call); // a rename raced with the ".." checks; try again
  }
  if (fd < 0) {
    const int error_number = errno;
    if (is_absence(error_number) || error_number == ELOOP || error_number == EXDEV) {
      return std::nullopt;
    }
    throw Error::from_errno(error_number, fmt::format("open {}", relative_path));
  }
  return Fd(static_cast<int>(fd));
}

void write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = retry([&] { return ::write(fd, bytes.data(), bytes.size()); });
    if (count < 0) {
      throw Error::from_errno(errno, "write");
    }
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

std::optional<std::size_t> read_some(int fd, std::span<char> buffer) {
  const auto count = retry([&] { return ::read(fd, buffer.data(), buffer.size()); });
  if (count < 0) {
    const int error_number = errno;
    if (error_number == EAGAIN) {
      return std::nullopt;
    }
    throw Error::from_errno(error_number, "read");
  }
  return static_cast<std::size_t>(count);
}

std::string read_all(int fd, std::size_t limit) {
  std::string text;
  std::array<char, 16384> buffer;
  while (true) {
    const auto count = retry([&] { return ::read(fd, buffer.data(), buffer.size()); });
    if (count < 0) {
      throw Error::from_errno(errno, "read");
    }
    if (count == 0) {
      return text;
    }
    text.append(buffer.data(), static_cast<std::size_t>(count));
    if (text.size() > limit) {
      throw Error(ErrorCode::protocol, "more than {} bytes where fewer were expected", limit);
    }
  }
}

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) < 0) {
    throw Error::from_errno(errno, "pipe2");
  }
  return {Fd(ends[0]), Fd(ends[1])};
}

void set_nonblocking(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
    throw Error::from_errno(errno, "fcntl(O_NONBLOCK)");
  }
}

void set_cloexec(int fd, bool on) {
  if (::fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0) < 0) {
    throw Error::from_errno(errno, "fcntl(FD_CLOEXEC)");
  }
}

Fd duplicate(int fd, int minimum) {
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, minimum);
  if (copy < 0) {
    throw Error::from_errno(errno, "fcntl(F_DUPFD_CLOEXEC)");
  }
  return Fd(copy);
}

} // namespace pyro::os
