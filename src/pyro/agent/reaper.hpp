// Collects every process that ends: our own children and, as pid 1, all orphans of the sandbox.
#pragma once

#include <pyro/os/process.hpp>

#include <sys/types.h>

#include <functional>
#include <map>

namespace pyro::agent {

class Reaper {
public:
  using Callback = std::function<void(os::Outcome outcome)>;

  /// Calls back once when that child has ended. Call it right after the fork, before the loop turns.
  void watch(pid_t child, Callback callback) { m_children[child] = std::move(callback); }

  void forget(pid_t child) { m_children.erase(child); }

  /// Already, though it has not been collected yet?
  static bool has_ended(pid_t child);

  /// On SIGCHLD: takes all that have ended.
  void collect();

private:
  std::map<pid_t, Callback> m_children;
};

} // namespace pyro::agent
