// The runners-up: docs/pains.md, 21 to 27.
#include "pains.hpp"

namespace pyro::testing {
namespace {

using PainsWhenShared = Pains;

TEST_F(PainsWhenShared, P21PortsAndNamesCollideAcrossWorktrees) {
  const std::string body = "services: {web: {command: exec sleep 1000, ports: ['8080']}}\n";
  const auto other = another_project("other");
  make_busybox_root(other / "image");
  write_file(other / "src/a.txt", "other\n");
  declare(body);
  declare_in(other, body); // the same name, the same port inside
  expect(0, {"apply"});
  expect(0, {"apply"}, {.cwd = other});
  EXPECT_EQ(workspace_ids().size(), 2U);
  EXPECT_EQ(inside("cat a.txt").out, "one\n");
  EXPECT_EQ(inside("cat a.txt", {.cwd = other}).out, "other\n");
  const auto port = [&](const RunOptions& options) {
    return json({"ports"}, options)["ports"].at(0)["host_port"].get<int>();
  };
  EXPECT_NE(port({}), port({.cwd = other}));
}

TEST_F(PainsWhenShared, P22SyncDoesNotSyncAtStartOrFailsForOtherUsers) {
  declare("seed: {from: src, on_change: sync}\n");
  write_file(
      project() / "pyro.yaml", "version: 1\nname: pains\nenvironment: {image: 'dir:./image'}\nseed: {from: "
                               "src, on_change: sync, owner: '1000:1000'}\n"
                               "services:\n  web: {command: 'stat -c %u:%g a.txt > /tmp/seen; cat a.txt >> "
                               "/tmp/seen; exec sleep 1000',\n"
                               "        readiness: {file: /tmp/seen}}\n");
  if (!expect(0, {"apply"}).status && !has_users()) {
    GTEST_SKIP() << "an ordinary user without a range of ids has one owner inside";
  }
  EXPECT_EQ(inside("cat /tmp/seen").out, "1000:1000\none\n")
      << "a service started before its seed was complete";
  write_file(project() / "src/a.txt", "two\n");
  expect(0, {"apply"});
  EXPECT_EQ(inside("stat -c %u:%g a.txt; cat a.txt").out, "1000:1000\ntwo\n");
}

TEST_F(PainsWhenShared, P23WarmPoolsHandOutOldTemplates) {
  const auto step = [](const std::string& what) {
    return "prepare: [{id: step, run: echo " + what + " > made}]\n";
  };
  declare(step("old"));
  expect(0, {"apply"});
  expect(0, {"destroy", "--yes"});
  declare(step("new"));
  expect(0, {"apply"});
  EXPECT_EQ(inside("cat made").out, "new\n");
  declare(step("old")); // and what fits is found again, without being built
  EXPECT_FALSE(planned("prepare.step").starts_with("build ")) << planned("prepare.step");
}

TEST_F(PainsWhenShared, P24PruneRemovesTooMuchOrTooLittle) {
  const auto other = another_project("other");
  make_busybox_root(other / "image");
  write_file(other / "src/a.txt", "other\n");
  declare("");
  declare_in(other, "", "other");
  expect(0, {"apply"});
  expect(0, {"apply"}, {.cwd = other});
  // A name that the file has no more is told, and stays until somebody says so.
  declare("", "renamed");
  const auto plan = json({"plan"})["plan"];
  EXPECT_TRUE(std::any_of(plan["actions"].begin(), plan["actions"].end(), [](const Json& action) {
    return action["reason"]["code"] == "renamed" && action["reason"]["before"] == "pains";
  })) << plan;
  EXPECT_TRUE(contains(expect(0, {"apply"}).all(), "pains was this file's workspace"));
  EXPECT_EQ(workspace_ids().size(), 3U);
  expect(0, {"prune"});
  EXPECT_EQ(workspace_ids().size(), 3U) << "a workspace was removed by a prune";
  EXPECT_TRUE(contains(pyro({"ls"}).out, "pains"));
  expect(0, {"destroy", "--yes", "--snapshots", "-w", "pains"});
  EXPECT_EQ(inside("cat a.txt", {.cwd = other}).out, "other\n");
}

TEST_F(PainsWhenShared, P25FixedTimeLimitsWithoutProgress) {
  declare("prepare: [{id: slow, timeout: 1s, run: 'echo downloading part 7; exec sleep 1000'}]\n");
  const auto late = pyro({"apply"});
  EXPECT_EQ(late.status, 1) << late;
  EXPECT_TRUE(contains(late.err, "pyro.yaml:5:")) << "the step's place is not told: " << late;
  EXPECT_TRUE(contains(late.err, "did not end within 1s")) << late;
  EXPECT_TRUE(contains(late.err, "downloading part 7")) << "its last line is not told: " << late;
}

TEST_F(PainsWhenShared, P26LookingStartsThings) {
  declare("prepare: [{id: step, run: touch made}]\n");
  expect(0, {"validate"});
  EXPECT_FALSE(fs::exists(state())) << "validate made something";
  expect(0, {"plan"});
  EXPECT_TRUE(workspace_ids().empty()) << "plan made something";
}

TEST_F(PainsWhenShared, P27ASnapshotsNameIsTakenForAMachines) {
  declare("");
  expect(0, {"apply"});
  expect(0, {"snapshot", "save", "pains"}); // called as the workspace is
  const auto guessed = expect(64, {"reset", "pains"});
  EXPECT_TRUE(contains(guessed.err, "--to")) << "the way out is not told: " << guessed;
  expect(0, {"reset", "--to", "pains", "--yes"});
}

} // namespace
} // namespace pyro::testing
