#include "interrupts.hpp"

#include <pyro/base/error.hpp>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <termios.h>
#include <unistd.h>

namespace pyro::cli {

namespace {

// Touched by signal handlers: lock-free atomics, and a termios that is complete before its flag says so.
std::atomic<int> g_signal{0};
std::atomic<std::int64_t> g_first_ms{0};
std::atomic<bool> g_window_changed{false};
std::atomic<bool> g_raw{false};
int g_terminal = -1;
termios g_saved{};

void restore_terminal() {
  if (g_raw.exchange(false)) {
    tcsetattr(g_terminal, TCSADRAIN, &g_saved);
  }
}

std::int64_t now_ms() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time); // safe in a signal handler
  return std::int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000;
}

/// timeout(1) and init systems send one SIGTERM to a program and the same to its group: that is one wish.
bool is_echo(int signal) {
  constexpr std::int64_t k_echo_ms = 250;
  return signal == SIGTERM && now_ms() - g_first_ms < k_echo_ms;
}

/// The first is a wish that operations poll. Whatever does not poll ends at the second.
void on_end(int signal) {
  const int number = errno;
  int none = 0;
  if (g_signal.compare_exchange_strong(none, signal)) {
    g_first_ms = now_ms();
  } else if (signal != SIGHUP && !is_echo(signal)) { // a closed terminal may say so more than once
    restore_terminal();
    _exit(128 + signal);
  }
  errno = number;
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
