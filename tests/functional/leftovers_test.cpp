// Using a workspace must not make the next apply ask: what tools leave and make again is no loss, what a
// person wrote is.
#include "flags.hpp"

namespace pyro::testing {
namespace {

class Leftovers : public Flags {
protected:
  void SetUp() override {
    Flags::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    const auto seed = project() / "seed";
    write_file(seed / ".gitignore", "node_modules/\n*.o\n!kept.o\n/dist\n");
    write_file(seed / "sub/.gitignore", "generated\n");
    for (const Arguments& words :
         {Arguments{"init", "-q"}, Arguments{"add", "-A"}, Arguments{"commit", "-qm", "x"}}) {
      ASSERT_EQ(command(git_command(seed, words)).status, 0);
    }
  }

  /// Makes it inside, changes the seed, and applies without anybody to ask.
  Result after(const std::string& script) {
    file(m_body);
    expect(0, {"apply", "--yes"});
    expect(0, {"exec", "-u", "root", "--", "sh", "-c", script});
    write_file(project() / "seed/first", "change " + std::to_string(++m_change) + "\n");
    return pyro({"apply"});
  }

  std::string m_body;

private:
  int m_change = 0;
};

TEST_F(Leftovers, OfToolsAreNoLoss) {
  for (const std::string path :
       {"/root/.npm/_cacache/x", "/root/.cache/pip/x", "/root/.bash_history", "/root/.ash_history",
        "/root/go/pkg/mod/x", "/root/.cargo/registry/x", "/home/me/.npm/x", "/workspace/.pytest_cache/v/x",
        "/workspace/sub/.mypy_cache/x", "/workspace/sub/__pycache__/x.pyc",
        "/var/lib/postgresql/15/main/base/1", "/var/lib/mysql/ibdata1"}) {
    EXPECT_EQ(after("mkdir -p $(dirname " + path + ") && echo x > " + path).status, 0) << path;
  }
}

TEST_F(Leftovers, WhatGitIgnoresIsNoLoss) {
  for (const std::string path :
       {"node_modules/a/index.js", "sub/node_modules/b/c", "main.o", "new/deep.o", "dist/bundle.js",
        "sub/generated"}) {
    EXPECT_EQ(after("mkdir -p $(dirname " + path + ") && echo x > " + path).status, 0) << path;
  }
}

TEST_F(Leftovers, WhatAPersonWroteIs) {
  for (const std::string path :
       {"notes.md", "first", "sub/new.c", "kept.o", "sub/dist", "generated", "/root/notes", "/root/.profile",
        "/etc/motd", "/opt/tool", "/var/lib/own/data"}) {
    const auto refused = after("mkdir -p $(dirname " + path + ") && echo mine > " + path);
    EXPECT_EQ(refused.status, 7) << path << refused;
    EXPECT_TRUE(contains(refused.all(), fs::path(path).filename().string())) << refused;
  }
}

TEST_F(Leftovers, CountWhereNothingBringsThemBack) {
  m_body = "reset: {undo: 0s}\n";
  EXPECT_EQ(after("echo x > main.o").status, 7);
}

TEST_F(Leftovers, AreThereAgainAfterUndo) {
  EXPECT_EQ(after("echo x > main.o").status, 0);
  expect(0, {"undo"});
  EXPECT_EQ(inside("cat main.o").out, "x\n");
}

TEST_F(Leftovers, NoPolicyTakesThemForDrift) {
  m_body = "drift: {policy: fail}\n";
  EXPECT_EQ(after("mkdir -p node_modules && echo x > node_modules/x").status, 0);
}

} // namespace
} // namespace pyro::testing
