// An apply whose sandboxes do not start: what the record says then, and what the next apply does.
#include "fake_sandboxes.hpp"

#include <pyro/store/journal.hpp>

namespace pyro::workspace {
namespace {

using Actions = std::vector<std::string>;

class ApplierTest : public FakeSandboxes {
protected:
  /// Whatever happened: nothing is pending, and the record speaks of content that is there.
  void expect_sound() {
    const auto now = record();
    EXPECT_FALSE(store::Journal::pending(paths().journal()));
    EXPECT_TRUE(fs::exists(paths().generation(now.generation))) << now.generation;
    for (const auto& layer : now.layers) {
      EXPECT_TRUE(context->layers.find(layer)) << layer;
    }
    EXPECT_EQ(is_running(now.supervisor), now.state == store::WorkspaceState::started);
  }

  void next_start_fails() { controls->failing_start = controls->starts + 1; }
};

TEST_F(ApplierTest, TheSecondOfTheSameDoesNothing) {
  EXPECT_TRUE(apply().changed);
  const auto first = record();
  EXPECT_EQ(first.state, store::WorkspaceState::started);
  EXPECT_EQ(first.generation, 1);
  EXPECT_EQ(first.spec_generation, 1);
  EXPECT_EQ(inside("/workspace/a.txt"), "one\n");
  expect_sound();
  const int starts = controls->starts;
  EXPECT_FALSE(apply().changed);
  EXPECT_EQ(controls->starts, starts);
  EXPECT_EQ(record().revision, first.revision) << "nothing was written";
}

TEST_F(ApplierTest, AFirstOneThatFailsLeavesNoWorkspaceAndTheNextMakesIt) {
  next_start_fails();
  apply_fails(ErrorCode::failed);
  EXPECT_TRUE(context->records.ids().empty());
  EXPECT_TRUE(apply().changed);
  EXPECT_EQ(record().state, store::WorkspaceState::started);
  expect_sound();
}

TEST_F(ApplierTest, AResetThatFailsKeepsTheContentAndTheSpecThatWere) {
  apply();
  write_inside("/workspace/mine.txt", "mine\n");
  const auto before = record();
  testing::write_file(files() / "a.txt", "two\n");
  EXPECT_EQ(planned(), (Actions{"rebuild seed", "reset workspace"}));
  next_start_fails();
  apply_fails(ErrorCode::failed);
  const auto after = record();
  EXPECT_EQ(after.state, store::WorkspaceState::stopped);
  EXPECT_NE(after.last_error.find("told to fail"), std::string::npos) << after.last_error;
  EXPECT_EQ(after.generation, before.generation);
  EXPECT_EQ(after.layers, before.layers);
  EXPECT_EQ(after.links, before.links) << "it was not applied";
  EXPECT_EQ(after.spec_generation, before.spec_generation);
  EXPECT_EQ(after.base, before.base);
  EXPECT_FALSE(after.undo) << "nothing was taken out of use";
  EXPECT_EQ(inside("/workspace/a.txt") + inside("/workspace/mine.txt"), "one\nmine\n");
  EXPECT_EQ(fs::exists(paths().generation(before.generation + 1)), false);
  expect_sound();

  EXPECT_TRUE(apply().changed);
  EXPECT_EQ(inside("/workspace/a.txt") + inside("/workspace/mine.txt"), "two\n");
  EXPECT_EQ(record().state, store::WorkspaceState::started);
  EXPECT_EQ(record().last_error, "");
  ASSERT_TRUE(record().undo);
  EXPECT_EQ(record().undo->generation, before.generation);
  expect_sound();
}

TEST_F(ApplierTest, ARebootThatFailsIsDoneByTheNext) {
  apply();
  write_inside("/workspace/mine.txt", "mine\n");
  const auto before = record();
  spec("  resources: {memory: 512MiB}\n");
  EXPECT_EQ(planned(), (Actions{"reboot workspace"}));
  next_start_fails();
  apply_fails(ErrorCode::failed);
  EXPECT_EQ(record().state, store::WorkspaceState::stopped);
  EXPECT_EQ(record().spec, before.spec) << "it was not applied";
  expect_sound();
  EXPECT_TRUE(apply().changed);
  EXPECT_EQ(record().state, store::WorkspaceState::started);
  EXPECT_EQ(record().limits.mem_mib, 512);
  EXPECT_EQ(record().generation, before.generation);
  EXPECT_EQ(inside("/workspace/mine.txt"), "mine\n");
  EXPECT_TRUE(planned().empty());
  expect_sound();
}

/// Whichever start fails, whatever it was for: the apply after it makes what the file says.
TEST_F(ApplierTest, EveryStartOfARowOfAppliesMayFail) {
  const auto change = [&](int step) {
    testing::write_file(files() / "a.txt", std::to_string(step) + "\n");
    spec(step % 2 == 0 ? "" : "  resources: {memory: 512MiB}\n");
  };
  for (int failing = 1; failing <= 4; ++failing) {
    int failures = 0;
    controls->starts = 0;
    controls->failing_start = failing;
    for (int step = 0; step < 4; ++step) {
      change(10 * failing + step);
      try {
        apply();
      } catch (const Error& error) {
        ++failures;
        EXPECT_EQ(error.code(), ErrorCode::failed) << error.what();
        apply();
      }
      EXPECT_EQ(inside("/workspace/a.txt"), std::to_string(10 * failing + step) + "\n");
      EXPECT_EQ(record().limits.mem_mib == 512, step % 2 == 1);
      EXPECT_TRUE(planned().empty());
      expect_sound();
    }
    EXPECT_EQ(failures, 1) << "start " << failing << " was not met";
  }
}

/// The fake runs nothing, so a step always fails: first because its sandbox does not start, then in it.
TEST_F(ApplierTest, AStepThatFailsTouchesNothingThatRuns) {
  apply();
  const auto before = record();
  spec("prepare:\n  - {id: build, run: 'true'}\n");
  const Actions wanted{"build prepare.build", "reset workspace"};
  for (const bool starts : {false, true}) {
    EXPECT_EQ(planned(), wanted);
    controls->failing_start = starts ? 0 : controls->starts + 1;
    EXPECT_THROW(apply(), Error);
    EXPECT_EQ(record().revision, before.revision) << "nothing was written";
    EXPECT_TRUE(is_running(record().supervisor));
    const fs::path builds = paths().root() + "/build";
    EXPECT_TRUE(testing::eventually([&] { return !fs::exists(builds) || fs::is_empty(builds); }))
        << "the step's sandbox is left";
    expect_sound();
  }
  spec();
  EXPECT_FALSE(apply().changed);
}

TEST_F(ApplierTest, AServiceThatFailsLeavesTheWorkspaceToBeMended) {
  spec("services:\n  web: {command: 'true'}\n");
  EXPECT_THROW(apply(), Error);
  const auto failed = record();
  EXPECT_EQ(failed.generation, 1);
  EXPECT_EQ(failed.spec_generation, 0) << "it was not applied";
  EXPECT_EQ(planned(), (Actions{"start services.web"}));
  expect_sound();
  spec();
  apply();
  EXPECT_EQ(record().generation, failed.generation);
  EXPECT_EQ(record().spec_generation, 1);
  EXPECT_EQ(inside("/workspace/a.txt"), "one\n");
  EXPECT_TRUE(planned().empty());
  expect_sound();
}

TEST_F(ApplierTest, WhatWouldBeLostIsAskedForAndARefusalChangesNothing) {
  apply();
  write_inside("/workspace/mine.txt", "mine\n");
  const auto before = record();
  testing::write_file(files() / "a.txt", "two\n");
  int asked = 0;
  const ApplyOptions refuses{.ask = [&](const std::string& text) {
    ++asked;
    EXPECT_NE(text.find("mine.txt"), std::string::npos) << text;
    return false;
  }};
  const int starts = controls->starts;
  EXPECT_THROW(apply_project(*context, project(), refuses, false), Error);
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(controls->starts, starts);
  EXPECT_EQ(record().revision, before.revision);
  EXPECT_EQ(inside("/workspace/a.txt") + inside("/workspace/mine.txt"), "one\nmine\n");
}

TEST_F(ApplierTest, AMachineThatLacksWhatItNeedsSaysSo) {
  apply();
  const auto before = record();
  testing::write_file(files() / "a.txt", "two\n");
  controls->is_unavailable = true;
  apply_fails(ErrorCode::unavailable);
  EXPECT_EQ(record().generation, before.generation);
  EXPECT_EQ(inside("/workspace/a.txt"), "one\n");
  controls->is_unavailable = false;
  apply();
  EXPECT_EQ(inside("/workspace/a.txt"), "two\n");
  expect_sound();
}

} // namespace
} // namespace pyro::workspace
