#include "interrupts.hpp"

#include <pyro/base/error.hpp>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <termios.h>
#include <unistd.h>

namespace pyro::cli {

namespace {

// Touched by signal handlers: lock-free atomics, and a termios that is complete before its flag says so.
std::atomic<int> g_signal{0};
std::atomic<bool> g_window_changed{false};
std::atomic<bool> g_raw{false};
int g_terminal = -1;
termios g_saved{};

void restore_terminal() {
  if (g_raw.exchange(false)) {
    tcsetattr(g_terminal, TCSADRAIN, &g_saved);
  }
}

void on_end(int signal) {
  int none = 0;
  if (!g_signal.compare_exchange_strong(none, signal) && signal == SIGINT) {
    restore_terminal();
    _exit(130);
  }
}

void on_window(int) {
  g_window_changed = true;
}

void on_crash(int signal) {
  restore_terminal();
  ::signal(signal, SIG_DFL);
  raise(signal);
}

void handle(int signal, void (*handler)(int)) {
  struct sigaction action {};

  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  if (sigaction(signal, &action, nullptr) != 0) {
    const int error = errno;
    throw Error::from_errno(error, "install a signal handler");
  }
}

} // namespace

void install_signal_handlers() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    handle(signal, on_end);
  }
  handle(SIGWINCH, on_window);
  handle(SIGPIPE, SIG_IGN);
}

int interrupting_signal() {
  return g_signal;
}

bool take_window_change() {
  return g_window_changed.exchange(false);
}

RawMode::RawMode(int terminal) {
  if (tcgetattr(terminal, &g_saved) != 0) {
    const int error = errno;
    throw Error::from_errno(error, "read the mode of the terminal");
  }
  g_terminal = terminal;
  static const bool registered = [] {
    std::atexit(restore_terminal);
    for (const int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGQUIT}) {
      handle(signal, on_crash);
    }
    return true;
  }();
  static_cast<void>(registered);
  termios raw = g_saved;
  cfmakeraw(&raw);
  g_raw = true;
  if (tcsetattr(terminal, TCSADRAIN, &raw) != 0) {
    const int error = errno;
    g_raw = false;
    throw Error::from_errno(error, "put the terminal in raw mode");
  }
}

RawMode::~RawMode() {
  restore_terminal();
}

} // namespace pyro::cli
