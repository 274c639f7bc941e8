// `pyro attach` as a person has it: on a real terminal, followed while it changes, and put back however it
// ends.
#include "../support/home.hpp"
#include "../support/terminal.hpp"

#include <pyro/base/json_access.hpp>

#include <csignal>

namespace pyro::testing {
namespace {

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
