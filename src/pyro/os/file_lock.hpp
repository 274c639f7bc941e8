// Advisory whole-file locks (flock(2)) that tell who holds them and die with their holder.
#pragma once

#include "fd.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace pyro::os {

/// Who holds a lock, as the holder wrote it into the lock file. `since` is epoch seconds. It is a lease for
/// as long as the holder lives: the kernel ends it with the process, so nobody has to wait for one that is
/// dead.
struct LockHolder {
  int pid = 0;
  std::string operation;
  double since = 0;
  std::string owner = {}; // name of the user; of one who has no name: the id
  std::string host = {};
};

/// "apply (pid 1234, for 12 s)"; with the user and the machine where they are others than ours.
std::string to_string(const LockHolder& holder);

/// Called once when the lock is not free at once, with the holder where it is known.
using WaitingCallback = std::function<void(const std::optional<LockHolder>&)>;

/// A locked file with the holder's note in it, which goes with the lock: what a killed holder leaves is known
/// by its pid.
class HeldLock {
public:
  HeldLock(Fd fd, const std::string& operation);
  HeldLock(HeldLock&&) noexcept = default;
  HeldLock& operator=(HeldLock&&) noexcept;
  ~HeldLock();

  int fd() const { return m_fd.get(); }

private:
  void take_note_back() noexcept;

  Fd m_fd;
  int m_pid = 0; // whose lock it is: a child that inherited it leaves the note alone
};

/// Exclusive. The file is created where missing and never deleted. Move-only; unlocked on destruction.
class ExclusiveLock {
public:
  /// Throws Error(locked) naming the holder when it is not obtained within `timeout`.
  ExclusiveLock(
      const std::string& path, const std::string& operation, std::chrono::milliseconds timeout,
      const WaitingCallback& waiting = {});
  /// nullopt when somebody else holds it.
  static std::optional<ExclusiveLock> try_lock(const std::string& path, const std::string& operation);

  int fd() const { return m_lock.fd(); }

private:
  explicit ExclusiveLock(HeldLock lock) : m_lock(std::move(lock)) {}

  HeldLock m_lock;
};

/// Shared with other SharedLocks, excludes ExclusiveLock. Who waits for several is told of one of them.
class SharedLock {
public:
  /// Throws as ExclusiveLock does.
  SharedLock(
      const std::string& path, std::chrono::milliseconds timeout, const std::string& operation = "reading",
      const WaitingCallback& waiting = {});

private:
  HeldLock m_lock;
};

/// Is somebody holding it exclusively right now, and who?
std::optional<LockHolder> lock_holder(const std::string& path);

} // namespace pyro::os
