// Flags of exec and shell, and of the commands that run something in a VM or a workspace by hand.
#include "flags.hpp"

namespace pyro::testing {
namespace {

/// A command that takes flags, then "--" and what is to be run.
void has_the_variable(Flags& test, const Arguments& command) {
  auto words = command;
  words.insert(words.end(), {"--", "sh", "-c", "echo \"<$GIVEN>\""});
  EXPECT_EQ(test.with(words, {}).out, "<>\n");
  EXPECT_EQ(test.with(words, {"--env", "GIVEN=to it"}).out, "<to it>\n");
  EXPECT_EQ(test.with(words, {"-e", "GIVEN=1", "-e", "GIVEN=2"}).out, "<2>\n");
}

void is_that_user(Flags& test, const Arguments& command) {
  auto words = command;
  words.insert(words.end(), {"--", "id", "-un"});
  EXPECT_EQ(test.with(words, {}).out, "root\n");
  EXPECT_EQ(test.with(words, {"--user", "nobody"}).out, "nobody\n");
}

void runs_there(Flags& test, const Arguments& command, const std::string& otherwise = "/workspace") {
  auto words = command;
  words.insert(words.end(), {"--", "pwd"});
  EXPECT_EQ(test.with(words, {}).out, otherwise + "\n");
  EXPECT_EQ(test.with(words, {"--cwd", "/var/lib"}).out, "/var/lib\n");
}

/// What is not killed runs meanwhile.
void is_killed_then(Flags& test, const Arguments& command, const std::string& flag, const std::string& time) {
  auto words = command;
  words.insert(words.end(), {"--", "sleep", "1.2"});
  auto control = test.start(words);
  const auto late = test.with(words, {flag, time});
  EXPECT_EQ(late.status, 124) << late;
  EXPECT_EQ(control.wait().shell_status(), 0);
}

TEST_F(Flags, exec__env) {
  file();
  expect(0, {"apply"});
  has_the_variable(*this, {"exec"});
}

TEST_F(Flags, exec__user) {
  file();
  expect(0, {"apply"});
  is_that_user(*this, {"exec"});
}

TEST_F(Flags, exec__cwd) {
  file();
  expect(0, {"apply"});
  runs_there(*this, {"exec"});
}

TEST_F(Flags, exec__timeout) {
  file();
  expect(0, {"apply"});
  is_killed_then(*this, {"exec"}, "--timeout", "300ms");
}

TEST_F(Flags, exec__tty) {
  file();
  expect(0, {"apply"});
  const Arguments words{"exec", "--", "sh", "-c", "test -t 1 && echo a terminal || echo none"};
  EXPECT_TRUE(contains(seen_at_a_terminal(words), "none"));
  const Arguments wanted{"exec", "-t", "--", "sh", "-c", "test -t 1 && echo a terminal || echo none"};
  EXPECT_TRUE(contains(seen_at_a_terminal(wanted), "a terminal"));
  EXPECT_EQ(with(words, {"--tty"}).out, "none\n") << "we have none to give";
}

TEST_F(Flags, exec__interactive) {
  file();
  expect(0, {"apply"});
  const Arguments words{"exec", "--", "sh", "-c", "read line; echo \"got <$line>\""};
  EXPECT_TRUE(contains(seen_at_a_terminal(words), "got <>"));
  const auto terminal = at_a_terminal({"exec", "-i", "--", "sh", "-c", words.back()});
  terminal->type("typed\n");
  EXPECT_TRUE(terminal->see("got <typed>")) << terminal->seen();
  EXPECT_EQ(terminal->status(), 0);
}

/// What a shell with these flags answers to a line.
std::string answer_of_a_shell(Flags& test, const Arguments& flags, const std::string& line) {
  test.file();
  if (test.workspace_ids().empty()) {
    test.expect(0, {"apply"});
  }
  Arguments words{"shell"};
  words.insert(words.end(), flags.begin(), flags.end());
  const auto terminal = test.at_a_terminal(words);
  terminal->type("echo \"answer: $(" + line + ").\"; exit\r");
  EXPECT_EQ(terminal->status(), 0) << terminal->seen();
  const auto at = terminal->seen().rfind("answer: ");
  return at == std::string::npos ? "" : terminal->seen().substr(at, terminal->seen().find('.', at) - at);
}

TEST_F(Flags, shell__env) {
  EXPECT_EQ(answer_of_a_shell(*this, {}, "echo $GIVEN"), "answer: ");
  EXPECT_EQ(answer_of_a_shell(*this, {"--env", "GIVEN=to-it"}, "echo $GIVEN"), "answer: to-it");
}

TEST_F(Flags, shell__user) {
  EXPECT_EQ(answer_of_a_shell(*this, {}, "id -un"), "answer: root");
  EXPECT_EQ(answer_of_a_shell(*this, {"--user", "nobody"}, "id -un"), "answer: nobody");
}

TEST_F(Flags, shell__cwd) {
  EXPECT_EQ(answer_of_a_shell(*this, {}, "pwd"), "answer: /workspace");
  EXPECT_EQ(answer_of_a_shell(*this, {"--cwd", "/var/lib"}, "pwd"), "answer: /var/lib");
}

TEST_F(Flags, run__env) {
  has_the_variable(*this, {"run", image()});
}

TEST_F(Flags, run__user) {
  is_that_user(*this, {"run", image()});
}

TEST_F(Flags, run__cwd) {
  runs_there(*this, {"run", image()});
}

TEST_F(Flags, run__timeout_seconds) {
  is_killed_then(*this, {"run", image()}, "--timeout-seconds", "1");
}

TEST_F(Flags, workspace_exec__env) {
  has_the_variable(*this, {"workspace", "exec", made()});
}

TEST_F(Flags, workspace_exec__user) {
  is_that_user(*this, {"workspace", "exec", made()});
}

TEST_F(Flags, workspace_exec__cwd) {
  runs_there(*this, {"workspace", "exec", made()});
}

TEST_F(Flags, workspace_exec__timeout_seconds) {
  is_killed_then(*this, {"workspace", "exec", made()}, "--timeout-seconds", "1");
}

TEST_F(Flags, workspace_exec__command) {
  const auto id = made();
  const std::string text = "echo  'a  b' | wc -w; exit 3";
  const auto said = pyro({"workspace", "exec", id, "--command", text});
  EXPECT_EQ(said.status, 3) << said;
  EXPECT_EQ(said.out, "2\n");
  const auto told = pyro({"workspace", "exec", id, "--command", text, "--json"});
  EXPECT_EQ(told.status, 3) << told;
  const auto log = parse_json(expect(0, {"workspace", "logs", id, "--json"}).out, "log");
  for (const auto& entry : log["entries"]) {
    EXPECT_EQ(entry["command"], text) << "kept as it was given";
  }
  EXPECT_EQ(log["count"], 2);
  EXPECT_EQ(pyro({"workspace", "exec", id, "--command", text, "--", "true"}).status, 64);
  EXPECT_EQ(pyro({"workspace", "exec", id, "--command", ""}).status, 64);
}

TEST_F(Flags, workspace_exec__secret_env) {
  const auto id = made({"--secret", "TOKEN=abc-def"});
  EXPECT_EQ(in(id, "echo \"${#TOKEN} ${#OTHER}\"").out, "0 0\n");
  EXPECT_EQ(in(id, "echo \"${#TOKEN} ${#OTHER}\"", {"--secret-env", "TOKEN"}).out, "7 0\n");
  EXPECT_EQ(in(id, "echo \"${#TOKEN} ${#OTHER}\"", {"--secret-env", "TOKEN=OTHER"}).out, "0 7\n");
}

} // namespace
} // namespace pyro::testing
