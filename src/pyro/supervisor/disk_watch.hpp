// Holds a sandbox to its disk limit where the file system does not: looks, and has the writers stopped
// (docs/decisions/0038). Where it does (disk_quota.hpp), only the file system's reserve is watched. One per
// supervisor; everything happens in its loop, the counting in a child process.
#pragma once

#include "disk_policy.hpp"
#include "disk_quota.hpp"

#include <pyro/base/json_access.hpp>
#include <pyro/os/event_loop.hpp>
#include <pyro/os/process.hpp>

#include <functional>
#include <optional>
#include <string>

namespace pyro::supervisor {

struct DiskStop {
  std::string code;   // "disk_limit", "disk_entries", "disk_reserve"
  std::string reason; // a sentence without its end
};

class DiskWatch {
public:
  struct Hooks {
    std::function<bool()> freeze; // false: cannot be had, or it stands still already
    std::function<void()> thaw;
    /// Ends every process but the agent, and calls back when that is done; called while the sandbox may still
    /// stand still.
    std::function<void(const DiskStop&, std::function<void()> ended)> stop;
  };

  /// `directory` holds all that the sandbox writes; `first_process` is pid 1 of the sandbox. `project`: the
  /// directory belongs to it, and the file system holds it to a limit; 0: to none.
  DiskWatch(
      os::EventLoop& loop, const std::string& directory, pid_t first_process, std::uint64_t limit_bytes,
      os::ProjectId project, Hooks hooks);
  ~DiskWatch();
  DiskWatch(const DiskWatch&) = delete;
  DiskWatch& operator=(const DiskWatch&) = delete;

  void begin();
  void set_limit(std::uint64_t bytes);
  Json status();

private:
  void rest();
  void tick();
  void take_step();
  FileSystemState file_system() const;
  std::optional<std::uint64_t> written() const;
  void look(bool frozen);
  void on_answer();
  void end_look();
  void judge(DiskPolicy::Verdict verdict);
  void stop(DiskStop what);
  void look_at_quota();
  std::string limit_text() const;
  std::string reached_text(bool by_entries) const;

  os::EventLoop& m_loop;
  os::Fd m_directory;
  os::Fd m_parent; // of the file system as a whole: what a project may use shows as the size of its own
                   // directory
  os::Fd m_proc;   // of the sandbox
  os::Fd m_user_namespace; // as an ordinary user, who may not look at what belongs to other ids
  Hooks m_hooks;
  DiskLimits m_limits;
  DiskPolicy m_policy;
  std::optional<DiskQuota> m_quota;
  os::EventLoop::TimerId m_timer = 0;
  os::TreeUsage m_usage;
  double m_looked_at = 0;
  Json m_event;          // the last stop
  Json m_reached;        // when the quota last refused a writer
  std::string m_trouble; // why it cannot look; empty: it can
  // A look in progress.
  os::Child m_child;
  os::Fd m_answer;
  std::string m_text;
  std::chrono::milliseconds m_began{0};
  bool m_is_frozen = false;
  os::EventLoop::TimerId m_patience = 0;
};

} // namespace pyro::supervisor
