// Pseudo terminals: one per exec or shell that asks for one, each the controlling terminal of its own
// session.
#pragma once

#include <pyro/os/fd.hpp>

#include <sys/types.h>

namespace pyro::agent {

struct Terminal {
  os::Fd master;
  os::Fd slave;
};

/// A new pseudo terminal of the sandbox's own devpts, never reached by a path.
Terminal open_terminal(int cols, int rows);
void resize_terminal(int master, int cols, int rows);

/// To the group of the session's leader and, with a terminal (master, else -1), to the group in its
/// foreground: a shell gives each of its jobs a group of its own.
void signal_session(pid_t leader, int master, int signal);

} // namespace pyro::agent
