// Holds a sandbox to its disk limit where the file system does not: looks, and has the writers stopped
// (docs/decisions/0038). Where it does (disk_quota.hpp), only the file system's reserve is watched. One per
// supervisor; everything happens in its loop, the counting in a child process.
#pragma once

#include "child_answer.hpp"
#include "disk_policy.hpp"
#include "disk_quota.hpp"
#include "limit_stop.hpp"

#include <pyro/base/json_access.hpp>
#include <pyro/os/event_loop.hpp>

#include <functional>
#include <optional>
#include <string>

namespace pyro::supervisor {

class DiskWatch {
public:
  struct Hooks {
    std::function<bool()> freeze; // false: cannot be had, or it stands still already
    std::function<void()> thaw;
    StopProcesses stop;
    std::function<void(const LimitStop&)> refused; // the file system refused a writer
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
  void on_answer(const std::string& text);
  void end_look();
  void judge(DiskPolicy::Verdict verdict);
  void stop(LimitStop what);
  void look_at_quota();
  std::string limit_text() const;
  std::string reached_text(bool by_entries) const;

  os::EventLoop& m_loop;
  ChildAnswer m_answer;
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
  Json m_event;   // the last stop
  Json m_reached; // when the quota last refused a writer
  std::chrono::milliseconds m_told_at{0};
  std::string m_trouble; // why it cannot look; empty: it can
  // A look in progress.
  std::chrono::milliseconds m_began{0};
  bool m_is_frozen = false;
};

} // namespace pyro::supervisor
