// One control group per sandbox: limits where this machine lets us have them, freezing and killing as a
// whole. cgroup v2 (docs.kernel.org/admin-guide/cgroup-v2.html) where delegated, v1 hierarchies as root where
// that is what there is. What cannot be had is told in words, never pretended.
#pragma once

#include "fd.hpp"

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace pyro::os {

struct CgroupLimits {
  std::int64_t cpus = 0;         // 0: no limit
  std::int64_t memory_bytes = 0; // 0: no limit
  std::int64_t pids = 0;         // 0: no limit
};

/// Owner of the directories of one group; the destructor removes them (the processes must be gone by then).
class Cgroup {
public:
  /// Directories in which groups could be made, and which limits would hold there.
  struct Support {
    std::string unified;                                 // v2 parent directory; empty: none
    bool unified_limits = false;                         // memory, pids and cpu are controllers there
    std::vector<std::pair<std::string, std::string>> v1; // {"memory", parent directory}
    std::string shortcoming;                             // why limits cannot be had; empty: they can
  };

  /// Tried, not guessed; remembered for the life of the process.
  static const Support& support();

  /// Every directory that a group of this name may get here, to be noted before it is made.
  static std::vector<std::string> directories_for(const std::string& name);

  /// Never throws for what the machine cannot do: that is added to notes().
  Cgroup(const std::string& name, const CgroupLimits& limits);
  ~Cgroup();
  Cgroup(const Cgroup&) = delete;
  Cgroup& operator=(const Cgroup&) = delete;

  /// Every directory made, for cleaning up after a crash.
  const std::vector<std::string>& directories() const { return m_directories; }

  const std::vector<std::string>& notes() const { return m_notes; }

  bool has_limits() const { return m_has_limits; }

  /// The v2 directory for CLONE_INTO_CGROUP, which is a hundred times faster than moving; -1: there is none.
  int clone_fd() const { return m_unified_fd.get(); }

  /// Moves a process (and what it will start) into the v1 groups, and into the v2 one unless it was cloned
  /// into it.
  void add(pid_t pid, bool cloned_into_unified);
  /// A file with a line "oom_kill N", the number of its processes that were killed because they had no memory
  /// left; an empty Fd where memory is not limited.
  Fd open_memory_events() const;
  /// cgroup.freeze: false where it cannot be had. Returns when every process stands still.
  bool freeze();
  void thaw();
  /// cgroup.kill; false where it cannot be had.
  bool kill();

private:
  void create_unified(const std::string& name, const CgroupLimits& limits);
  void create_v1(const std::string& name, const CgroupLimits& limits);
  bool set(const std::string& file, const std::string& value);

  std::string m_unified;
  Fd m_unified_fd;
  std::vector<std::string> m_directories;
  std::vector<std::string> m_notes;
  bool m_has_limits = false;
};

/// Kills every process in these v2 groups, without waiting for their end.
void kill_cgroups(const std::vector<std::string>& directories);

/// Removes empty group directories that a killed owner left; waits up to a second for their processes to be
/// gone.
void remove_cgroups(const std::vector<std::string>& directories);

} // namespace pyro::os
