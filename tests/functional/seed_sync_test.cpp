// seed.on_change: sync: what changes outside goes into the running workspace; what changed inside stays.
#include "../support/home.hpp"

#include <pyro/base/json_access.hpp>

#include <signal.h>

namespace pyro::testing {
namespace {

class SeedSync : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    syncing();
    write_file(project() / "a.txt", "one\n");
    write_file(project() / "b.txt", "one\n");
    write_file(project() / "gone.txt", "one\n");
    write_file(project() / "dir" / "below.txt", "one\n");
  }

  void syncing(const std::string& more = "") {
    write_file(
        project() / "pyro.yaml",
        "version: 1\nname: test\nenvironment: {image: host}\nseed: {from: ., on_change: sync}\n" + more);
  }

  void change_outside() {
    write_file(project() / "a.txt", "two\n");
    write_file(project() / "b.txt", "two\n");
    write_file(project() / "new" / "file.txt", "new\n");
    fs::remove(project() / "gone.txt");
    fs::remove_all(project() / "dir");
  }

  int pid() { return json({"status"}).value("sandbox_pid", 0); }

  void expect_nothing_to_do() {
    const auto again = expect(0, {"apply"});
    EXPECT_NE(again.all().find("othing to do"), std::string::npos) << again;
  }

  /// Letter and path of every file that differs.
  std::string drift() {
    std::string text;
    const auto diff = json({"diff"});
    for (const auto& entry : diff.at("entries")) {
      text += entry.value("status", "") + " " + entry.value("path", "") + "\n";
    }
    return text;
  }
};

TEST_F(SeedSync, ChangesOutsideAreSeenInsideWithoutARestart) {
  syncing("services:\n  keeper: {command: \"exec sleep 1000\"}\n");
  expect(0, {"apply"});
  const auto before = pid();
  const auto service = inside("pidof sleep || pgrep sleep").out;
  EXPECT_EQ(inside("echo mine > mine.txt; touch /tmp/still-here").status, 0);
  change_outside();
  fs::permissions(project() / "b.txt", fs::perms::owner_exec, fs::perm_options::add);
  const auto applied = json({"apply"});
  EXPECT_TRUE(applied.at("conflicts").empty()) << applied;
  EXPECT_EQ(pid(), before) << "the sandbox was started anew";
  EXPECT_EQ(inside("pidof sleep || pgrep sleep").out, service) << "the service was started anew";
  EXPECT_EQ(
      inside("cat a.txt b.txt new/file.txt mine.txt; test -x b.txt && echo x; ls; ls /tmp/still-here").out,
      "two\ntwo\nnew\nmine\nx\na.txt\nb.txt\nmine.txt\nnew\n/tmp/still-here\n");
  EXPECT_EQ(drift(), "added /workspace/mine.txt\n");
  expect_nothing_to_do();
}

TEST_F(SeedSync, WhatChangedOnBothSidesIsAConflictAndStays) {
  expect(0, {"apply"});
  EXPECT_EQ(inside("echo inside > a.txt; echo inside > gone.txt; rm b.txt; echo same > c.txt").status, 0);
  change_outside();
  write_file(project() / "c.txt", "same\n");
  const auto applied = json({"apply"});
  EXPECT_EQ(applied.at("conflicts"), Json({"/workspace/a.txt", "/workspace/b.txt", "/workspace/gone.txt"}))
      << applied;
  EXPECT_EQ(
      inside("cat a.txt gone.txt c.txt new/file.txt; ls").out,
      "inside\ninside\nsame\nnew\na.txt\nc.txt\ngone.txt\nnew\n");
  EXPECT_EQ(drift(), "modified /workspace/a.txt\ndeleted /workspace/b.txt\nadded /workspace/gone.txt\n");
  expect_nothing_to_do();

  write_file(project() / "a.txt", "three\n");
  const auto again = expect(0, {"apply"});
  EXPECT_NE(again.err.find("/workspace/a.txt was changed inside too"), std::string::npos) << again;
  EXPECT_EQ(inside("cat a.txt").out, "inside\n");
}

TEST_F(SeedSync, FilesAndDirectoriesCanTakeEachOthersPlace) {
  expect(0, {"apply"});
  fs::remove_all(project() / "dir");
  write_file(project() / "dir", "a file now\n");
  fs::remove(project() / "a.txt");
  write_file(project() / "a.txt" / "below.txt", "below a\n");
  fs::remove(project() / "b.txt");
  fs::create_symlink("gone.txt", project() / "b.txt");
  const auto applied = json({"apply"});
  EXPECT_TRUE(applied.at("conflicts").empty()) << applied;
  EXPECT_EQ(inside("cat dir a.txt/below.txt; readlink b.txt").out, "a file now\nbelow a\ngone.txt\n");
  EXPECT_EQ(drift(), "");
}

TEST_F(SeedSync, NothingIsWrittenThroughASymlinkOfTheInside) {
  expect(0, {"apply"});
  EXPECT_EQ(inside("mkdir elsewhere; mv dir/below.txt elsewhere; rmdir dir; ln -s elsewhere dir").status, 0);
  write_file(project() / "dir" / "below.txt", "two\n");
  write_file(project() / "dir" / "more.txt", "two\n");
  const auto applied = json({"apply"});
  EXPECT_EQ(applied.at("conflicts"), Json({"/workspace/dir/below.txt", "/workspace/dir/more.txt"}));
  EXPECT_EQ(inside("readlink dir; cat elsewhere/below.txt; ls elsewhere").out, "elsewhere\none\nbelow.txt\n");
}

TEST_F(SeedSync, ResetAndUndoGoToWhatIsTrue) {
  syncing("prepare:\n  - {id: make, run: \"echo made > made.txt\"}\n");
  expect(0, {"apply"});
  for (const auto* text : {"two\n", "three\n"}) {
    write_file(project() / "a.txt", text);
    expect(0, {"apply"});
    EXPECT_EQ(inside("cat a.txt made.txt").out, text + std::string("made\n"));
    EXPECT_EQ(drift(), "") << "what prepare made is no change";
  }
  EXPECT_EQ(inside("echo inside > b.txt").status, 0);
  expect(0, {"reset", "--yes"});
  EXPECT_EQ(inside("cat a.txt b.txt made.txt").out, "three\none\nmade\n");
  expect_nothing_to_do();
  expect(0, {"undo"});
  EXPECT_EQ(inside("cat a.txt b.txt made.txt").out, "three\ninside\nmade\n");
  EXPECT_EQ(drift(), "modified /workspace/b.txt\n");
  expect_nothing_to_do();
  write_file(project() / "a.txt", "four\n");
  expect(0, {"prune"});
  expect(0, {"apply"});
  EXPECT_EQ(inside("cat a.txt b.txt made.txt").out, "four\ninside\nmade\n");
}

TEST_F(SeedSync, TheBaselineNeverHasWhatWasChangedInside) {
  syncing("prepare:\n  - {id: make, run: \"echo made > made.txt\"}\n");
  expect(0, {"apply"});
  EXPECT_EQ(inside("echo inside > b.txt").status, 0);
  expect(0, {"snapshot", "save", "mine"});
  expect(0, {"reset", "--to", "mine", "--yes"});
  for (const auto* text : {"two\n", "three\n"}) {
    write_file(project() / "a.txt", text);
    expect(0, {"apply"});
    EXPECT_EQ(inside("cat a.txt b.txt").out, text + std::string("inside\n"));
  }
  expect(0, {"reset", "--to", "baseline", "--yes"});
  EXPECT_EQ(inside("cat a.txt b.txt made.txt").out, "three\none\nmade\n");
  expect_nothing_to_do();
}

TEST_F(SeedSync, AfterAResetToAnEarlierPointTheNextApplyResets) {
  syncing("snapshots:\n  bare: {at: image}\n");
  expect(0, {"apply"});
  expect(0, {"reset", "--to", "bare", "--yes"});
  change_outside();
  expect(0, {"apply", "--yes"});
  EXPECT_EQ(inside("cat a.txt b.txt; ls").out, "two\ntwo\na.txt\nb.txt\nnew\n");
  EXPECT_EQ(drift(), "");
  expect_nothing_to_do();
}

TEST_F(SeedSync, AStoppedWorkspaceIsStartedWithTheNewFiles) {
  expect(0, {"apply"});
  EXPECT_EQ(inside("echo mine > mine.txt").status, 0);
  expect(0, {"stop"});
  change_outside();
  expect(0, {"apply"});
  EXPECT_EQ(
      inside("cat a.txt b.txt new/file.txt mine.txt; ls gone.txt dir 2>/dev/null").out,
      "two\ntwo\nnew\nmine\n");
  expect_nothing_to_do();
}

TEST_F(SeedSync, KilledAnywhereTheNextApplyFinishesIt) {
  expect(0, {"apply"});
  int round = 0;
  for (const auto* place :
       {"sync.decided", "change.sent", "change.asked", "change.done", "sync.done", "sync.baseline",
        "sync.recorded"}) {
    const auto text = std::to_string(++round) + "\n";
    write_file(project() / "a.txt", text);
    write_file(project() / "b.txt", text);
    RunOptions options;
    options.env["PYRO_CRASH_AT"] = place;
    const auto killed = pyro({"apply"}, options);
    if (killed.status == 0) {
      GTEST_SKIP() << "built without places to be killed at";
    }
    // As an ordinary user it may be the worker in a user namespace that was killed, which the command tells.
    const bool is_killed =
        killed.status == 128 + SIGKILL || killed.err.find("killed by SIGKILL") != std::string::npos;
    EXPECT_TRUE(is_killed) << place << ": " << killed;
    const auto seen = inside("cat a.txt b.txt").out;
    const auto old = round == 1 ? std::string("one\n") : std::to_string(round - 1) + "\n";
    EXPECT_TRUE(seen == text + text || seen == old + old) << place << ": " << seen;
    const auto applied = json({"apply"});
    EXPECT_TRUE(applied.at("conflicts").empty()) << place << ": " << applied;
    EXPECT_EQ(inside("cat a.txt b.txt").out, text + text) << place;
    EXPECT_EQ(drift(), "") << place;
    expect_nothing_to_do();
  }
}

} // namespace
} // namespace pyro::testing
