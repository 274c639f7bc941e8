#include "terminal.hpp"

#include <pyro/base/error.hpp>

#include <sys/ioctl.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>

namespace pyro::agent {

namespace {

/// By the file system itself where it lets us: /dev/ptmx is a link there, and whatever the sandbox put in
/// its place.
os::Fd open_multiplexer() {
  constexpr int k_flags = O_RDWR | O_NOCTTY | O_CLOEXEC;
  os::Fd master(::open("/dev/pts/ptmx", k_flags));
  return master ? std::move(master) : os::Fd(::posix_openpt(k_flags));
}

} // namespace

Terminal open_terminal(int cols, int rows) {
  Terminal terminal;
  terminal.master = open_multiplexer();
  if (!terminal.master) {
    throw Error::from_errno(errno, "open /dev/ptmx");
  }
  if (::unlockpt(terminal.master.get()) < 0) {
    throw Error::from_errno(errno, "unlockpt");
  }
  terminal.slave = os::Fd(::ioctl(terminal.master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal.slave) {
    throw Error::from_errno(errno, "open the terminal");
  }
  resize_terminal(terminal.master.get(), cols, rows);
  return terminal;
}

void resize_terminal(int master, int cols, int rows) {
  winsize size{};
  size.ws_col = static_cast<unsigned short>(cols);
  size.ws_row = static_cast<unsigned short>(rows);
  if (::ioctl(master, TIOCSWINSZ, &size) < 0) {
    throw Error::from_errno(errno, "resize the terminal");
  }
}

void signal_session(pid_t leader, int master, int signal) {
  ::kill(-leader, signal);
  pid_t foreground = 0;
  if (master >= 0 && ::ioctl(master, TIOCGPGRP, &foreground) == 0 && foreground > 1 && foreground != leader) {
    ::kill(-foreground, signal);
  }
}

} // namespace pyro::agent
