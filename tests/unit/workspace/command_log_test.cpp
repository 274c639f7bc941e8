#include <pyro/os/directory.hpp>
#include <pyro/workspace/state/command_log.hpp>

#include <gtest/gtest.h>

#include <fstream>

namespace pyro::workspace {
namespace {

class CommandLogTest : public ::testing::Test {
protected:
  CommandLogTest() : m_directory("/tmp", "pyro-log"), m_paths(store::Base(m_directory.path()), "w1") {
    os::make_directories(m_paths.commands());
    m_record.id = "w1";
  }

  CommandLog log() const { return {m_paths, m_record}; }

  static LoggedCommand command(const std::string& text) {
    LoggedCommand command;
    command.command = text;
    command.out = "of " + text;
    return command;
  }

  void damage(const std::string& file) const { std::ofstream(m_paths.commands() + "/" + file) << "{\"his"; }

  os::TempDir m_directory;
  store::WorkspacePaths m_paths;
  store::WorkspaceRecord m_record;
};

TEST_F(CommandLogTest, IsEmptyAtFirst) {
  EXPECT_EQ(log().count(), 0);
  EXPECT_TRUE(log().last().is_null());
  EXPECT_TRUE(log().entries(10).empty());
}

TEST_F(CommandLogTest, CountsAndKeepsInOrder) {
  for (const auto* text : {"a", "b", "c"}) {
    log().add(command(text));
  }
  EXPECT_EQ(log().count(), 3);
  EXPECT_EQ(log().last()["command"], "c");
  EXPECT_FALSE(log().last().contains("stdout"));
  const auto last = log().entries(2);
  ASSERT_EQ(last.size(), 2u);
  EXPECT_EQ(last[0]["command"], "b");
  EXPECT_EQ(last[1]["stdout"], "of c");
  EXPECT_EQ(last[1]["sequence"], 3);
}

TEST_F(CommandLogTest, AResetBeginsANewHistory) {
  log().add(command("before"));
  const auto late = log(); // of a command that runs while the workspace is reset
  ++m_record.reset_count;
  EXPECT_EQ(log().count(), 0);
  EXPECT_TRUE(log().entries(10).empty());
  EXPECT_EQ(log().add(command("after")), 1);
  EXPECT_EQ(late.add(command("late")), 0);
  ASSERT_EQ(log().entries(10).size(), 1u);
  EXPECT_EQ(log().entries(10)[0]["command"], "after");
}

TEST_F(CommandLogTest, ALostIndexIsMadeFromTheEntries) {
  log().add(command("a"));
  log().add(command("b"));
  damage("index.json");
  EXPECT_EQ(log().count(), 2);
  EXPECT_EQ(log().add(command("c")), 3);
  damage("command-00000002.json");
  EXPECT_EQ(log().count(), 3);
  EXPECT_EQ(log().entries(10).size(), 2u) << "a damaged entry is left out";
}

TEST_F(CommandLogTest, OldEntriesGoAndTheCountGoesOn) {
  for (std::int64_t index = 0; index < k_logged_commands + 5; ++index) {
    log().add(command("x"));
  }
  EXPECT_EQ(log().count(), k_logged_commands + 5);
  const auto entries = log().entries(1'000'000);
  ASSERT_EQ(entries.size(), static_cast<std::size_t>(k_logged_commands));
  EXPECT_EQ(entries.front()["sequence"], 6);
}

TEST(ShellText, QuotesWhatAShellWouldTakeApart) {
  EXPECT_EQ(shell_text({"ls", "-l", "/a.b"}), "ls -l /a.b");
  EXPECT_EQ(shell_text({"echo", "a b", "$HOME", ""}), "echo 'a b' '$HOME' ''");
  EXPECT_EQ(shell_text({"it's"}), "'it'\\''s'");
}

} // namespace
} // namespace pyro::workspace
