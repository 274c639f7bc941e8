// The ids of one sandbox while it lives. As root it is a range that no other sandbox, no user of this machine
// and nothing on its disks has; so what the kernel counts by user (inotify, signals, timers, watches, pipes,
// queues, locked memory) is counted for this sandbox alone. Ordinary users have one range for all
// (id_space.hpp).
#pragma once

#include "fd.hpp"
#include "id_space.hpp"

#include <sys/types.h>

#include <cstdint>
#include <functional>

namespace pyro::os {

class SandboxIds {
public:
  /// As root: the first range that is free on this machine, whatever state directory asks. It is free again
  /// when this is destroyed or its process ends. `pids`: how many processes the kernel is to count for the
  /// sandbox at most; 0: as many as for anybody.
  explicit SandboxIds(std::int64_t pids);

  const IdSpace& space() const { return m_space; }

  /// Runs a call that makes a user namespace and returns as fork(2) does; the kernel counts what the
  /// namespace takes for the sandbox's own user, or lets an ordinary user's sandbox take only half of what
  /// the user may. The child still touches files as its parent does. The caller has one thread.
  pid_t count_for_it(const std::function<pid_t()>& clone) const;

private:
  std::int64_t m_pids;
  Fd m_claim;
  IdSpace m_space;
};

} // namespace pyro::os
