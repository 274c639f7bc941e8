// Starts a process of the sandbox: as its user, in its own session, with nothing of the agent's but three
// descriptors.
#pragma once

#include <pyro/os/fd.hpp>

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

namespace pyro::agent {

struct LaunchRequest {
  std::vector<std::string> argv;
  std::string cwd;
  std::map<std::string, std::string> env;
  std::string user;
  /// Goes into the environment as PYRO_EXEC_ID: how stray descendants are found again (lineage.hpp).
  std::string marker;
  /// Runs in the child, as that user and in that directory, instead of a program; its status is the child's.
  int (*built_in)() = nullptr;
};

/// Descriptors for 0, 1 and 2. With a terminal all three are its slave side, and it becomes the controlling
/// one.
struct Stdio {
  int in = -1;
  int out = -1;
  int err = -1;
  bool is_terminal = false;
};

struct LaunchResult {
  pid_t pid = -1;
  int exit_code = 0; // 126 or 127 when there is no process
  std::string note;  // and why

  bool ok() const { return pid > 0; }
};

/// Once, before anything is launched: what the kernel thinks of our children when memory is exhausted
/// (proc(5), oom_score_adj). They would inherit our own protection otherwise. Not called: they inherit.
void set_oom_score_of_children(int adjustment);

/// Forks and executes; the child leads its own session and process group. Never throws for what the caller
/// asked (unknown user, missing program or directory): that is a result. Throws when the system cannot fork.
/// Where the kernel takes its time, that shows as an early end instead: note_of_failed_start() says why.
LaunchResult launch(const LaunchRequest& request, const Stdio& stdio);

} // namespace pyro::agent
