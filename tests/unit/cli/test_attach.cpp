// `pyro shell` on a terminal of its own, against an engine that echoes what is typed.
#include "memory_engine.hpp"

#include <pyro/cli/interrupts.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace pyro::cli {

namespace {

void say(int fd, std::string_view text) {
  EXPECT_EQ(write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

/// A command inside that echoes its input in capitals, tells of each control, and ends with its input or a
/// HUP.
operations::ExecResult echo(const operations::ExecRequest& request, const operations::ExecStreams& streams) {
  say(streams.out, fmt::format("size {}x{} tty {}\r\n", request.columns, request.rows, request.tty));
  while (true) {
    if (const auto control = request.poll_control()) {
      say(streams.out, control->dump() + "\r\n");
      if (control->contains("signal")) {
        return {.exit_code = 129};
      }
    }
    pollfd wait{streams.in, POLLIN, 0};
    if (poll(&wait, 1, 20) <= 0 || (wait.revents & POLLIN) == 0) {
      continue;
    }
    std::array<char, 64> buffer{};
    const auto count = read(streams.in, buffer.data(), buffer.size());
    std::string text(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(0, count)));
    for (auto& c : text) {
      c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    say(streams.out, text);
    if (text.find('Q') != std::string::npos) {
      return {.exit_code = 5};
    }
  }
}

class ShellOnATerminal : public ::testing::Test {
protected:
  void SetUp() override {
    m_master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    ASSERT_EQ(grantpt(m_master), 0);
    ASSERT_EQ(unlockpt(m_master), 0);
    resize(100, 30);
    const std::string slave = ptsname(m_master); // NOLINT: one thread
    m_child = fork();
    ASSERT_GE(m_child, 0);
    if (m_child == 0) {
      setsid();
      const int terminal_fd = open(slave.c_str(), O_RDWR);
      for (const int fd : {0, 1, 2}) {
        dup2(terminal_fd, fd);
      }
      install_signal_handlers();
      Terminal terminal;
      terminal.is_terminal = true;
      terminal.world.exec = echo;
      const int status = terminal.run({"shell"});
      say(1, "note:" + terminal.err);
      _exit(status);
    }
  }

  void TearDown() override { close(m_master); }

  void resize(unsigned short columns, unsigned short rows) const {
    winsize size{};
    size.ws_col = columns;
    size.ws_row = rows;
    ASSERT_EQ(ioctl(m_master, TIOCSWINSZ, &size), 0);
  }

  /// Reads until the text shows up; false after 10 s.
  bool see(const std::string& text) {
    for (int i = 0; i < 500 && m_seen.find(text) == std::string::npos; ++i) {
      pollfd wait{m_master, POLLIN, 0};
      if (poll(&wait, 1, 20) > 0) {
        std::array<char, 512> buffer{};
        const auto count = read(m_master, buffer.data(), buffer.size());
        m_seen.append(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(0, count)));
      }
    }
    return m_seen.find(text) != std::string::npos;
  }

  int exit_status() {
    int status = 0;
    EXPECT_EQ(waitpid(m_child, &status, 0), m_child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  int m_master = -1;
  pid_t m_child = -1;
  std::string m_seen;
};

} // namespace

TEST_F(ShellOnATerminal, TypingGoesInAndTheStatusComesOut) {
  ASSERT_TRUE(see("size 100x30 tty true")) << m_seen;
  say(m_master, "ab\x03"); // Ctrl-C is a key like any other
  ASSERT_TRUE(see("AB\x03")) << m_seen;
  say(m_master, "q");
  ASSERT_TRUE(see("note:")) << m_seen;
  EXPECT_EQ(exit_status(), 5);
}

TEST_F(ShellOnATerminal, TheWindowIsFollowed) {
  ASSERT_TRUE(see("size 100x30")) << m_seen;
  resize(120, 40);
  kill(m_child, SIGWINCH);
  EXPECT_TRUE(see(R"({"resize":{"cols":120,"rows":40}})")) << m_seen;
  say(m_master, "q");
  ASSERT_TRUE(see("note:")) << m_seen;
  EXPECT_EQ(exit_status(), 5);
}

TEST_F(ShellOnATerminal, TheDetachKeyLeaves) {
  ASSERT_TRUE(see("size 100x30")) << m_seen;
  say(m_master, "ab\x1d");
  ASSERT_TRUE(see(R"({"signal":"HUP"})")) << m_seen;
  ASSERT_TRUE(see("Left. The workspace goes on")) << m_seen;
  EXPECT_EQ(exit_status(), 0);
}

TEST_F(ShellOnATerminal, BeingAskedToEndHangsUp) {
  ASSERT_TRUE(see("size 100x30")) << m_seen;
  kill(m_child, SIGTERM);
  ASSERT_TRUE(see(R"({"signal":"HUP"})")) << m_seen;
  ASSERT_TRUE(see("note:")) << m_seen;
  EXPECT_EQ(exit_status(), 143);
}

} // namespace pyro::cli
