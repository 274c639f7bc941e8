// `pyro attach` as a person has it: on a real terminal, followed while it changes, and put back however it
// ends.
#include "../support/home.hpp"

#include <pyro/base/json_access.hpp>

#include <sys/ioctl.h>
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <poll.h>
#include <pty.h>
#include <termios.h>
#include <unistd.h>

namespace pyro::testing {
namespace {

/// A program on a pseudo terminal of its own.
class OnATerminal {
public:
  OnATerminal(const Arguments& argv, const std::map<std::string, std::string>& environment) {
    winsize size{};
    size.ws_col = 100;
    size.ws_row = 30;
    std::vector<std::string> variables;
    for (const auto& [name, value] : environment) {
      variables.push_back(name + "=" + value);
    }
    const auto pointers = [](const std::vector<std::string>& texts) {
      std::vector<char*> list;
      for (const auto& text : texts) {
        list.push_back(const_cast<char*>(text.c_str()));
      }
      list.push_back(nullptr);
      return list;
    };
    const auto arguments = pointers(argv);
    const auto env = pointers(variables);
    m_pid = ::forkpty(&m_master, nullptr, nullptr, &size);
    if (m_pid == 0) {
      ::execve(arguments[0], arguments.data(), env.data());
      ::_exit(126);
    }
  }

  ~OnATerminal() {
    if (!m_ended) {
      ::kill(m_pid, SIGKILL);
      ::waitpid(m_pid, nullptr, 0);
    }
    ::close(m_master);
  }

  OnATerminal(const OnATerminal&) = delete;
  OnATerminal& operator=(const OnATerminal&) = delete;

  void type(const std::string& text) const {
    EXPECT_EQ(::write(m_master, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

  void resize(unsigned short columns, unsigned short rows) const {
    winsize size{};
    size.ws_col = columns;
    size.ws_row = rows;
    EXPECT_EQ(::ioctl(m_master, TIOCSWINSZ, &size), 0);
  }

  /// Reads until the text shows up behind what was seen before; false after 20 s.
  bool see(const std::string& text) {
    return eventually([&] {
      read_some(20);
      const auto at = m_seen.find(text, m_read);
      if (at != std::string::npos) {
        m_read = at + text.size();
      }
      return at != std::string::npos;
    });
  }

  /// Does the terminal edit lines and echo, as one does that no program has in raw mode?
  bool is_cooked() const {
    termios mode{};
    EXPECT_EQ(::tcgetattr(m_master, &mode), 0);
    return (mode.c_lflag & ICANON) != 0 && (mode.c_lflag & ECHO) != 0;
  }

  /// As a shell shows it; -1: it does not end.
  int status() {
    int status = 0;
    m_ended = eventually([&] {
      read_some(0); // what it still has to say must not block it
      return ::waitpid(m_pid, &status, WNOHANG) == m_pid;
    });
    return m_ended ? os::outcome_of(status).shell_status() : -1;
  }

  void signal(int number) const { ::kill(m_pid, number); }

  const std::string& seen() const { return m_seen; }

private:
  void read_some(int patience_ms) {
    pollfd wait{m_master, POLLIN, 0};
    std::array<char, 4096> buffer{};
    while (::poll(&wait, 1, patience_ms) > 0 && (wait.revents & POLLIN) != 0) {
      const auto count = ::read(m_master, buffer.data(), buffer.size());
      if (count <= 0) {
        break;
      }
      m_seen.append(buffer.data(), static_cast<std::size_t>(count));
    }
  }

  int m_master = -1;
  pid_t m_pid = -1;
  bool m_ended = false;
  std::string m_seen;
  std::size_t m_read = 0;
};

class Attach : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    spec();
    expect(0, {"apply"});
    m_id = json({"status"})["workspace_id"];
  }

  /// `pyro` with these arguments, once the shell on it answers.
  std::unique_ptr<OnATerminal> on_terminal(Arguments arguments) {
    arguments.insert(arguments.begin(), (bin / "pyro").string());
    auto environment = this->environment({});
    environment["TERM"] = "xterm";
    auto terminal = std::make_unique<OnATerminal>(arguments, environment);
    terminal->type("echo up-$((40 + 2))\r");
    EXPECT_TRUE(terminal->see("up-42")) << terminal->seen();
    EXPECT_FALSE(terminal->is_cooked());
    return terminal;
  }

  Json shells() { return json({"workspace", "shell", "list", m_id})["shells"]; }

  std::string m_id;
};

TEST_F(Attach, TheShellLivesOnAndIsFoundAgain) {
  {
    const auto terminal = on_terminal({"attach", m_id});
    terminal->type("A=kept; stty size\r");
    EXPECT_TRUE(terminal->see("30 100")) << terminal->seen();
    terminal->resize(120, 40);
    terminal->type("sleep 0.5; stty size\r");
    EXPECT_TRUE(terminal->see("40 120")) << terminal->seen();
    terminal->type("\x1d");
    EXPECT_EQ(terminal->status(), 0);
    EXPECT_TRUE(terminal->see("Left. The shell goes on: pyro attach")) << terminal->seen();
    EXPECT_TRUE(terminal->is_cooked());
  }
  const auto left = shells();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0]["state"], "running");
  const auto terminal = on_terminal({"attach", m_id});
  terminal->type("echo \"<$A>\"; exit 7\r");
  EXPECT_TRUE(terminal->see("<kept>")) << terminal->seen();
  EXPECT_EQ(terminal->status(), 7);
  EXPECT_TRUE(terminal->is_cooked());
  EXPECT_EQ(shells()[0]["state"], "exited");
}

TEST_F(Attach, ControlCAndControlDAreTheShells) {
  const auto terminal = on_terminal({"attach", m_id});
  terminal->type("sleep 1000; echo no\r");
  EXPECT_TRUE(terminal->see("sleep 1000")) << terminal->seen();
  ASSERT_TRUE(eventually([&] { return inside("pgrep -x sleep").status == 0; }));
  terminal->type("\x03");
  terminal->type("echo after-$((1 + 1))\r");
  EXPECT_TRUE(terminal->see("after-2")) << terminal->seen();
  terminal->type("\x04");
  EXPECT_GE(terminal->status(), 0);
  EXPECT_TRUE(terminal->is_cooked());
  EXPECT_EQ(shells()[0]["state"], "exited");
}

TEST_F(Attach, TheTerminalIsPutBackWhenASignalEndsIt) {
  for (const int signal : {SIGTERM, SIGHUP}) {
    const auto terminal = on_terminal({"attach", m_id});
    terminal->signal(signal);
    EXPECT_EQ(terminal->status(), 128 + signal);
    EXPECT_TRUE(terminal->is_cooked());
  }
  const auto left = shells();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0]["state"], "running");
}

TEST_F(Attach, TheTerminalIsPutBackWhenTheWorkspaceIsGone) {
  const auto supervisor = json({"status"})["supervisor_pid"].get<int>();
  const auto terminal = on_terminal({"attach", m_id});
  ASSERT_EQ(::kill(supervisor, SIGKILL), 0);
  EXPECT_EQ(terminal->status(), 125);
  EXPECT_TRUE(terminal->is_cooked());
  EXPECT_TRUE(terminal->see("pyro: error")) << terminal->seen();
}

TEST_F(Attach, LeavingOneThatDoesNotAnswer) {
  const auto supervisor = json({"status"})["supervisor_pid"].get<int>();
  const auto terminal = on_terminal({"attach", m_id});
  ASSERT_EQ(::kill(supervisor, SIGSTOP), 0);
  terminal->type("\x1d");
  EXPECT_EQ(terminal->status(), 0);
  EXPECT_TRUE(terminal->is_cooked());
  ASSERT_EQ(::kill(supervisor, SIGCONT), 0);
}

TEST_F(Attach, AShellOfItsOwnEndsWithIt) {
  const auto terminal = on_terminal({"shell", "-C", project().string()});
  terminal->type("exit 5\r");
  EXPECT_EQ(terminal->status(), 5);
  EXPECT_TRUE(terminal->is_cooked());
  EXPECT_EQ(shells().size(), 0U);
}

TEST_F(Attach, NeedsATerminal) {
  const auto refused = expect(64, {"attach", m_id});
  EXPECT_NE(refused.err.find("needs a terminal"), std::string::npos) << refused;
}

} // namespace
} // namespace pyro::testing
