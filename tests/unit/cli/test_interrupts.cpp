#include <pyro/cli/interrupts.hpp>

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

namespace pyro::cli {

namespace {

/// A terminal of our own; the slave side is what a program sees.
class PseudoTerminal {
public:
  PseudoTerminal() : m_master(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    EXPECT_EQ(grantpt(m_master), 0);
    EXPECT_EQ(unlockpt(m_master), 0);
    m_slave = open(ptsname(m_master), O_RDWR | O_NOCTTY | O_CLOEXEC); // NOLINT: one thread
    EXPECT_GE(m_slave, 0);
  }

  ~PseudoTerminal() {
    close(m_slave);
    close(m_master);
  }

  int slave() const { return m_slave; }

  bool echoes() const {
    termios mode{};
    EXPECT_EQ(tcgetattr(m_slave, &mode), 0);
    return (mode.c_lflag & ECHO) != 0;
  }

private:
  int m_master;
  int m_slave = -1;
};

} // namespace

TEST(RawMode, IsPutBack) {
  const PseudoTerminal terminal;
  ASSERT_TRUE(terminal.echoes());
  {
    const RawMode raw(terminal.slave());
    EXPECT_FALSE(terminal.echoes());
  }
  EXPECT_TRUE(terminal.echoes());
}

TEST(RawMode, IsPutBackWhateverEndsTheProgram) {
  const PseudoTerminal terminal;
  for (const int signal : {0, SIGSEGV, SIGQUIT, SIGINT}) {
    const auto child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      install_signal_handlers();
      const RawMode raw(terminal.slave());
      if (terminal.echoes()) {
        _exit(99);
      }
      if (signal == 0) {
        std::exit(3);
      }
      raise(signal);
      raise(signal); // SIGINT: only the second ends it
      _exit(98);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(terminal.echoes()) << signal;
    if (signal == 0) {
      EXPECT_EQ(WEXITSTATUS(status), 3);
    } else if (signal == SIGINT) {
      EXPECT_EQ(WEXITSTATUS(status), 130);
    } else {
      EXPECT_EQ(WTERMSIG(status), signal);
    }
  }
}

TEST(Interrupts, TheFirstSignalIsAFlag) {
  const auto child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    install_signal_handlers();
    const bool before = interrupted() || take_window_change();
    raise(SIGTERM);
    raise(SIGINT); // a second one, but SIGTERM came first: the exit of a second Ctrl-C
    _exit(before ? 97 : 96);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 130);

  const auto terminated = fork();
  ASSERT_GE(terminated, 0);
  if (terminated == 0) {
    install_signal_handlers();
    raise(SIGTERM);
    raise(SIGTERM); // as timeout(1) does it: the same wish
    raise(SIGHUP);
    raise(SIGHUP);
    if (interrupting_signal() != SIGTERM) {
      _exit(97);
    }
    for (;;) { // a later one is another
      usleep(10'000);
      raise(SIGTERM);
    }
  }
  ASSERT_EQ(waitpid(terminated, &status, 0), terminated);
  EXPECT_EQ(WEXITSTATUS(status), 128 + SIGTERM);

  const auto other = fork();
  ASSERT_GE(other, 0);
  if (other == 0) {
    install_signal_handlers();
    raise(SIGTERM);
    raise(SIGWINCH);
    const bool fits = interrupting_signal() == SIGTERM && take_window_change() && !take_window_change();
    _exit(fits ? 0 : 1);
  }
  ASSERT_EQ(waitpid(other, &status, 0), other);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

} // namespace pyro::cli
