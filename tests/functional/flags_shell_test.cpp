// Flags of `pyro workspace shell …`.
#include "flags.hpp"

namespace pyro::testing {
namespace {

/// A shell of a workspace, and what a program does with it.
class Shell {
public:
  Shell(Flags& test, const Arguments& flags = {}, const Arguments& of_the_workspace = {})
      : m_test(test), m_workspace(test.made(of_the_workspace)) {
    open(flags);
  }

  /// Another one of the same workspace.
  void open(const Arguments& flags) {
    m_id = m_test.with({"workspace", "shell", "open", m_workspace, "--id-only"}, flags).out;
    EXPECT_TRUE(m_id.starts_with("sh-") && m_id.ends_with('\n')) << m_id;
    m_id.resize(m_id.empty() ? 0 : m_id.size() - 1);
  }

  Result call(const std::string& verb, const Arguments& flags = {}, const RunOptions& options = {}) {
    return m_test.with({"workspace", "shell", verb, m_workspace, m_id}, flags, options);
  }

  std::string all() { return call("read", {"--plain"}).out; }

  bool see(const std::string& text) {
    return eventually([&] { return contains(all(), text); }, 20);
  }

  /// What it answers to a line; the line itself it shows as well.
  std::string answer(const std::string& line) {
    EXPECT_EQ(call("write", {"--input", "echo \"answer: $(" + line + ") end\"; echo do''ne"}).status, 0);
    EXPECT_TRUE(see("\ndone")) << all();
    const auto text = all();
    const auto from = text.rfind("\nanswer: ");
    return from == std::string::npos ? text : text.substr(from + 9, text.find(" end", from) - from - 9);
  }

  Json described() {
    const auto list = m_test.json({"workspace", "shell", "list", m_workspace});
    for (const auto& shell : list["shells"]) {
      if (shell["shell_id"] == m_id) {
        return shell;
      }
    }
    ADD_FAILURE() << "it is not listed";
    return Json::object();
  }

  const std::string& workspace() const { return m_workspace; }

private:
  Flags& m_test;
  std::string m_workspace;
  std::string m_id;
};

TEST_F(Flags, workspace_shell_open__cwd) {
  Shell shell(*this);
  EXPECT_EQ(shell.answer("pwd"), "/workspace");
  shell.open({"--cwd", "/var/lib"});
  EXPECT_EQ(shell.answer("pwd"), "/var/lib");
}

TEST_F(Flags, workspace_shell_open__env) {
  Shell shell(*this);
  EXPECT_EQ(shell.answer("echo \"<$GIVEN>\""), "<>");
  shell.open({"--env", "GIVEN=to-it"});
  EXPECT_EQ(shell.answer("echo \"<$GIVEN>\""), "<to-it>");
}

TEST_F(Flags, workspace_shell_open__secret_env) {
  Shell shell(*this, {}, {"--secret", "TOKEN=abc-def"});
  EXPECT_EQ(shell.answer("echo ${#TOKEN}"), "0");
  shell.open({"--secret-env", "TOKEN"});
  EXPECT_EQ(shell.answer("echo ${#TOKEN}"), "7");
}

TEST_F(Flags, workspace_shell_open__cols) {
  Shell shell(*this);
  EXPECT_EQ(shell.answer("stty size"), "30 120");
  shell.open({"--cols", "99"});
  EXPECT_EQ(shell.answer("stty size"), "30 99");
}

TEST_F(Flags, workspace_shell_open__rows) {
  Shell shell(*this);
  EXPECT_EQ(shell.answer("stty size"), "30 120");
  shell.open({"--rows", "44"});
  EXPECT_EQ(shell.answer("stty size"), "44 120");
}

TEST_F(Flags, workspace_shell_open__id_only) {
  const Shell shell(*this);
  const auto told = expect(0, {"workspace", "shell", "open", shell.workspace(), "--json"});
  EXPECT_TRUE(contains(told.out, "\"cols\": 120")) << told;
  const auto id = expect(0, {"workspace", "shell", "open", shell.workspace(), "--id-only"}).out;
  EXPECT_EQ(id.find('\n'), id.size() - 1) << id;
}

TEST_F(Flags, workspace_shell_resize__cols) {
  Shell shell(*this);
  EXPECT_EQ(shell.call("resize", {"--cols", "99"}).status, 0);
  EXPECT_EQ(shell.answer("stty size"), "30 99");
}

TEST_F(Flags, workspace_shell_resize__rows) {
  Shell shell(*this);
  EXPECT_EQ(shell.call("resize", {"--rows", "44"}).status, 0);
  EXPECT_EQ(shell.answer("stty size"), "44 120");
}

TEST_F(Flags, workspace_shell_read__cursor) {
  Shell shell(*this);
  EXPECT_EQ(shell.answer("echo one"), "one");
  const auto end = shell.described()["next_cursor"].dump();
  EXPECT_EQ(shell.call("write", {"--input", "echo t''wo"}).status, 0);
  EXPECT_TRUE(shell.see("\ntwo"));
  EXPECT_TRUE(contains(shell.call("read").out, "answer: one"));
  const auto rest = shell.call("read", {"--cursor", end}).out;
  EXPECT_FALSE(contains(rest, "answer: one")) << rest;
  EXPECT_TRUE(contains(rest, "\ntwo")) << rest;
}

TEST_F(Flags, workspace_shell_read__max_chars) {
  Shell shell(*this);
  EXPECT_EQ(shell.answer("echo one"), "one");
  const auto all = shell.call("read");
  const auto some = shell.call("read", {"--max-chars", "5"});
  EXPECT_GT(all.out.size(), 20U);
  EXPECT_EQ(some.out, all.out.substr(0, 5));
  EXPECT_TRUE(contains(some.err, "there is more")) << some;
}

TEST_F(Flags, workspace_shell_read__plain) {
  Shell shell(*this);
  EXPECT_EQ(shell.call("write", {"--input", "printf '\\033[31mr''ed\\033[0m\\n'"}).status, 0);
  EXPECT_TRUE(shell.see("\nred"));
  EXPECT_TRUE(contains(shell.call("read").out, "\x1b[31mred"));
  EXPECT_FALSE(contains(shell.call("read", {"--plain"}).out, "\x1b"));
}

TEST_F(Flags, workspace_shell_read__wait_for_idle_ms) {
  Shell shell(*this);
  EXPECT_EQ(shell.answer("echo one"), "one");
  EXPECT_EQ(shell.call("write", {"--input", "for i in 1 2 3 4; do sleep 0.1; done; echo la''te"}).status, 0);
  EXPECT_FALSE(contains(shell.call("read", {"--plain"}).out, "\nlate"));
  EXPECT_TRUE(contains(shell.call("read", {"--plain", "--wait-for-idle-ms", "500"}).out, "\nlate"));
}

TEST_F(Flags, workspace_shell_write__input) {
  Shell shell(*this);
  const RunOptions piped{.input = "echo from-the-p''ipe"};
  EXPECT_EQ(shell.call("write", {}, piped).status, 0);
  EXPECT_TRUE(shell.see("\nfrom-the-pipe"));
  EXPECT_EQ(shell.call("write", {"--input", "echo from-the-f''lag"}, piped).status, 0);
  EXPECT_TRUE(shell.see("\nfrom-the-flag"));
}

TEST_F(Flags, workspace_shell_write__no_newline) {
  Shell shell(*this);
  EXPECT_EQ(shell.call("write", {"--input", "echo ha", "--no-newline"}).status, 0);
  EXPECT_EQ(shell.call("write", {"--input", "lf"}).status, 0);
  EXPECT_TRUE(shell.see("\nhalf")) << shell.all();
}

TEST_F(Flags, workspace_shell_signal__signal) {
  Shell shell(*this);
  const auto line = "trap 'echo i-$((40 + 2))' INT; trap 'echo t-$((40 + 2))' TERM; echo re''ady; "
                    "while [ ! -e end ]; do sleep 0.1; done";
  EXPECT_EQ(shell.call("write", {"--input", "sh -c \"" + std::string(line) + "\""}).status, 0);
  EXPECT_TRUE(shell.see("\nready")) << shell.all();
  EXPECT_EQ(shell.call("signal", {"--signal", "TERM"}).status, 0);
  EXPECT_TRUE(shell.see("t-42")) << shell.all();
  EXPECT_FALSE(contains(shell.all(), "i-42"));
  EXPECT_EQ(shell.call("signal").status, 0);
  EXPECT_TRUE(shell.see("i-42")) << shell.all();
}

} // namespace
} // namespace pyro::testing
