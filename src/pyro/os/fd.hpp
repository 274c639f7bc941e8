// Owner of a file descriptor, and the system calls on descriptors that everything else uses.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace pyro::os {

/// Explicit, move-only owner; closes on destruction.
class Fd {
public:
  Fd() = default;

  explicit Fd(int fd) : m_fd(fd) {}

  ~Fd() { reset(); }

  Fd(Fd&& other) noexcept : m_fd(other.release()) {}

  Fd& operator=(Fd&& other) noexcept;
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;

  int get() const { return m_fd; }

  bool valid() const { return m_fd >= 0; }

  explicit operator bool() const { return valid(); }

  /// Gives up ownership.
  int release();
  void reset();

private:
  int m_fd = -1;
};

/// open(2) with O_CLOEXEC added; throws naming the path. EINTR is retried.
Fd open_file(const std::string& path, int flags, mode_t mode = 0600);
/// nullopt where there is no such file (ENOENT, ENOTDIR).
std::optional<Fd> maybe_open(const std::string& path, int flags, mode_t mode = 0600);
Fd open_at(int directory, const std::string& path, int flags, mode_t mode = 0600);

/// openat2(2) for paths under an untrusted root: never leaves `directory`, never follows a symlink or magic
/// link (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS). nullopt: not there, or a symlink is
/// in the way.
std::optional<Fd>
maybe_open_beneath(int directory, const std::string& relative_path, int flags, mode_t mode = 0600);

/// Writes all of it; throws Error (disk_full for ENOSPC). EINTR and short writes are handled.
void write_all(int fd, std::string_view bytes);
/// Up to buffer.size() bytes; 0 is end of file; nullopt is EAGAIN.
std::optional<std::size_t> read_some(int fd, std::span<char> buffer);
/// To the end of the file, but never more than `limit` bytes: beyond it throws (protocol).
std::string read_all(int fd, std::size_t limit);
/// A whole regular file by path, opened as regular_file.hpp does; beyond `limit` bytes Error(protocol). Those
/// of /proc and /sys are regular files too.
std::string read_file(const std::string& path, std::size_t limit = 64 << 20);
/// nullopt where it is not there.
std::optional<std::string> maybe_read_file(const std::string& path, std::size_t limit = 64 << 20);

struct Pipe {
  Fd read_end;
  Fd write_end;
};

/// pipe2(2) with O_CLOEXEC.
Pipe make_pipe();
void set_nonblocking(int fd);
void set_cloexec(int fd, bool on);
/// A duplicate with close-on-exec, lowest number at least `minimum`.
Fd duplicate(int fd, int minimum = 3);

} // namespace pyro::os
