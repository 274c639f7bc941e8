// Advisory whole-file locks (flock(2)) that tell who holds them and die with their holder.
#pragma once

#include "fd.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace pyro::os {

/// Who holds a lock, as the holder wrote it into the lock file. `since` is epoch seconds.
struct LockHolder {
  int pid = 0;
  std::string operation;
  double since = 0;
};

/// "apply (pid 1234, for 12 s)"
std::string to_string(const LockHolder& holder);

/// Called once when the lock is not free at once, with the holder where it is known.
using WaitingCallback = std::function<void(const std::optional<LockHolder>&)>;

/// Exclusive. The file is created where missing and never deleted. Move-only; unlocked on destruction.
class ExclusiveLock {
public:
  /// Throws Error(locked) naming the holder when it is not obtained within `timeout`.
  ExclusiveLock(
      const std::string& path, const std::string& operation, std::chrono::milliseconds timeout,
      const WaitingCallback& waiting = {});
  /// nullopt when somebody else holds it.
  static std::optional<ExclusiveLock> try_lock(const std::string& path, const std::string& operation);

  ExclusiveLock(ExclusiveLock&&) noexcept = default;
  ExclusiveLock& operator=(ExclusiveLock&&) noexcept = default;

  int fd() const { return m_fd.get(); }

private:
  explicit ExclusiveLock(Fd fd) : m_fd(std::move(fd)) {}

  Fd m_fd;
};

/// Shared with other SharedLocks, excludes ExclusiveLock.
class SharedLock {
public:
  SharedLock(const std::string& path, std::chrono::milliseconds timeout);
  SharedLock(SharedLock&&) noexcept = default;
  SharedLock& operator=(SharedLock&&) noexcept = default;

private:
  Fd m_fd;
};

/// Is somebody holding it exclusively right now, and who?
std::optional<LockHolder> lock_holder(const std::string& path);

} // namespace pyro::os
