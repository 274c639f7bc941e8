// seed.on_change: sync between two sides that both lie: a sandbox that swaps what is being written to, and a
// checkout that changes while it is read. Oracles: a canary of the host, traps inside, and what is said.
#include "../support/holding.hpp"
#include "../support/home.hpp"

#include <pyro/base/json_access.hpp>

#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <atomic>
#include <fcntl.h>
#include <thread>
#include <unistd.h>

namespace pyro::testing {
namespace {

class SyncAttacks : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    m_marker = "marker-" + std::to_string(::getpid()) + "-of-the-host";
    write_file(canary() / "file", m_marker + "\n");
    write_file(canary() / "kept", m_marker + "\n");
    m_before = tree_of(canary());
    write_file(project() / "a.txt", "one\n");
    write_file(project() / "dir/file", "one\n");
    write_file(project() / "dir/deep/file", "one\n");
    write_file(
        project() / "pyro.yaml",
        "version: 1\nname: test\nenvironment: {image: host}\nseed: {from: ., on_change: sync}\n");
  }

  fs::path canary() const { return root() / "canary"; }

  Result bounded(const Arguments& arguments, const std::string& what) {
    RunOptions options;
    options.timeout = std::chrono::seconds(90);
    auto result = pyro(arguments, options);
    EXPECT_NE(result.status, 70) << what << ": " << result;
    EXPECT_LT(result.status, 124) << what << ": " << result;
    EXPECT_FALSE(contains(result.all(), m_marker)) << what << ": " << result;
    EXPECT_EQ(tree_of(canary()), m_before) << what;
    return result;
  }

  void outside_changes(const std::string& text) {
    write_file(project() / "a.txt", text);
    write_file(project() / "dir/file", text);
    write_file(project() / "dir/deep/file", text);
    write_file(project() / "dir/new", text);
  }

  std::string m_marker;

private:
  std::map<std::string, std::string> m_before;
};

TEST_F(SyncAttacks, WhatIsSwappedInsideMeanwhileIsNotWrittenThrough) {
  fs::copy_file(binary_dir() / "bin/attacks/attack_swap", project() / "attack_swap");
  expect(0, {"apply"});
  const auto made = inside(
      "mkdir -p /srv/trap/deep && cp -r dir dir2 && rm -rf dir2/deep && ln -s /srv/trap away && "
      "ln -s "
      + canary().string()
      + " dir2/deep && ln -s /srv/trap/a a2 && echo kept > "
        "/srv/trap/file && echo kept > /srv/trap/a");
  ASSERT_EQ(made.status, 0) << made;
  auto swapper =
      start({"exec", "--", "./attack_swap", "25", "dir", "away", "dir/deep", "dir2/deep", "a.txt", "a2"});
  for (int round = 0; round < 12; ++round) {
    outside_changes("round " + std::to_string(round) + "\n");
    bounded({"apply", "--yes"}, "sync");
  }
  EXPECT_TRUE(eventually([&] { return swapper.try_wait().has_value(); }, 60));
  const auto trap = inside("cat /srv/trap/file /srv/trap/a; find /srv/trap -type f | sort");
  EXPECT_EQ(trap.out, "kept\nkept\n/srv/trap/a\n/srv/trap/file\n")
      << "written through a symlink of the inside";
  EXPECT_EQ(bounded({"reset", "--yes"}, "reset").status, 0);
  EXPECT_EQ(inside("cat dir/file").out, "round 11\n");
}

TEST_F(SyncAttacks, WhereThePlaceOfTheSeedIsAnotherThingNothingIsWritten) {
  expect(0, {"apply"});
  for (const auto& trap : std::vector<std::string>{
           "ln -s /srv/trap /workspace", "ln -s " + canary().string() + " /workspace", "mkfifo /workspace",
           "touch /workspace"}) {
    ASSERT_EQ(inside("mkdir -p /srv/trap && cd / && mv /workspace /was && " + trap).status, 0) << trap;
    outside_changes(trap + "\n");
    bounded({"apply", "--yes"}, trap);
    bounded({"diff"}, trap);
    EXPECT_EQ(pyro({"exec", "--cwd", "/", "--", "/bin/sh", "-c", "find /srv/trap -type f"}).out, "") << trap;
    EXPECT_EQ(bounded({"reset", "--yes"}, trap).status, 0) << trap;
    EXPECT_EQ(bounded({"apply", "--yes"}, trap).status, 0) << trap << ": no way back";
    EXPECT_EQ(inside("cat dir/file").out, trap + "\n");
  }
}

TEST_F(SyncAttacks, ACheckoutThatIsSwappedMeanwhileLeadsNowhere) {
  expect(0, {"apply"});
  fs::create_directory_symlink(canary(), project() / "away");
  fs::create_symlink(canary() / "file", project() / "other");
  std::atomic<bool> over{false};
  std::thread swapper([&] {
    const auto swap = [&](const char* one, const char* two) {
      ::syscall(
          SYS_renameat2, AT_FDCWD, (project() / one).c_str(), AT_FDCWD, (project() / two).c_str(),
          RENAME_EXCHANGE);
    };
    while (!over) {
      swap("dir", "away");
      swap("a.txt", "other");
    }
  });
  for (int round = 0; round < 12; ++round) {
    RunOptions options;
    options.timeout = std::chrono::seconds(90);
    const auto applied = pyro({"apply", "--yes"}, options);
    EXPECT_LT(applied.status, 124) << applied;
    EXPECT_NE(applied.status, 70) << applied;
    const auto seen = inside("cat a.txt other dir/* away/* 2>/dev/null; true");
    EXPECT_FALSE(contains(seen.out, m_marker)) << "content of the host came in: " << seen;
  }
  over = true;
  swapper.join();
  EXPECT_EQ(files_holding(state(), m_marker), std::vector<std::string>());
  EXPECT_EQ(bounded({"apply", "--yes"}, "when it is quiet").status, 0);
}

TEST_F(SyncAttacks, NamesThatAreNoTextStayNames) {
  const std::vector<std::string> names{
      "new\nline",
      "esc\x1b[2Jape",
      "c1\xc2\x9b"
      "31m",
      "bidi\xe2\x80\xae"
      "txt.exe",
      "bytes\xff\xfe",
      ".wh.a.txt",
      ".wh..wh..opq",
      "-rf",
      " ",
      "quote\"}",
      std::string(255, 'n')};
  expect(0, {"apply"});
  for (const auto& name : names) {
    write_file(project() / "odd" / name, "outside\n");
  }
  const auto first = bounded({"apply", "--yes"}, "odd names");
  EXPECT_EQ(first.status, 0) << first;
  EXPECT_EQ(inside("ls -A odd | wc -l; cat odd/.wh.a.txt a.txt").out, "12\noutside\none\n")
      << "a newline is one more";
  // Now both sides change them, and a conflict names each.
  EXPECT_EQ(inside("cd odd && for f in * .wh*; do echo inside > \"./$f\"; done").status, 0);
  for (const auto& name : names) {
    write_file(project() / "odd" / name, "outside again\n");
  }
  for (const auto& words : std::vector<Arguments>{{"plan"}, {"apply", "--yes"}, {"status"}, {"diff"}}) {
    const auto said = bounded(words, words[0]);
    for (const auto* bad : {"\x1b", "\xc2\x9b", "\xe2\x80\xae", "\xff"}) {
      EXPECT_EQ(said.all().find(bad), std::string::npos) << words[0] << " says a name as it is: " << said;
    }
    EXPECT_FALSE(contains(said.all(), "new\nline")) << words[0] << ": " << said;
  }
  EXPECT_EQ(inside("cat odd/.wh.a.txt").out, "inside\n");
  write_file(project() / "a.txt", "two\n");
  const auto applied = pyro({"apply", "--yes", "--json"});
  EXPECT_FALSE(Json::parse(applied.out, nullptr, false).is_discarded()) << applied;
  EXPECT_EQ(inside("cat a.txt").out, "two\n");
}

TEST_F(SyncAttacks, FilesThatAreNoneOnEitherSideStopNobody) {
  expect(0, {"apply"});
  EXPECT_EQ(inside("rm dir/file; mkfifo dir/file; rm a.txt; mkdir a.txt; touch a.txt/.wh.x").status, 0);
  outside_changes("two\n");
  EXPECT_EQ(bounded({"apply", "--yes"}, "a FIFO inside").status, 0);
  EXPECT_EQ(inside("test -p dir/file && test -e a.txt/.wh.x && cat dir/deep/file").out, "two\n");

  fs::remove(project() / "a.txt");
  ASSERT_EQ(::mkfifo((project() / "a.txt").c_str(), 0666), 0);
  fs::remove_all(project() / "dir/deep");
  fs::create_directory_symlink(canary(), project() / "dir/deep");
  fs::create_symlink("loop", project() / "loop");
  bounded({"plan"}, "a FIFO outside");
  bounded({"apply", "--yes"}, "a FIFO outside");
  EXPECT_FALSE(contains(inside("cat dir/deep/file; true").out, m_marker));
}

} // namespace
} // namespace pyro::testing
