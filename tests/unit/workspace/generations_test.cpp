// From one writable layer to another, and what is left where that fails.
#include "fake_sandboxes.hpp"

#include <pyro/store/journal.hpp>
#include <pyro/workspace/state/generations.hpp>

namespace pyro::workspace {
namespace {

class GenerationsTest : public FakeSandboxes {
protected:
  void SetUp() override {
    FakeSandboxes::SetUp();
    apply();
  }

  /// A new one on the content that the workspace began with.
  static void renew(
      Context& context, LockedWorkspace& workspace, KeepUndo keep = KeepUndo::yes,
      const std::function<void(store::WorkspaceRecord&)>& change = {}) {
    const store::LayerStack same{workspace.record.layers, workspace.record.host_directories};
    switch_generation(context, workspace, "reset", same, 0, keep, "a test", change);
  }

  bool is_there(int generation) { return fs::exists(paths().generation(generation)); }
};

TEST_F(GenerationsTest, TheOldOneBecomesTheUndoPoint) {
  write_inside("/workspace/mine.txt", "mine\n");
  auto workspace = locked();
  const auto before = workspace.record;
  renew(*context, workspace, KeepUndo::yes, [](auto& record) { record.base.snapshot = "noted"; });
  const auto after = record();
  EXPECT_EQ(after.generation, before.generation + 1);
  EXPECT_EQ(after.base.snapshot, "noted");
  ASSERT_TRUE(after.undo);
  EXPECT_EQ(after.undo->generation, before.generation);
  EXPECT_EQ(after.undo->layers, before.layers);
  EXPECT_EQ(after.undo->base, before.base);
  EXPECT_EQ(after.undo->reason, "a test");
  EXPECT_TRUE(is_running(after.supervisor));
  EXPECT_FALSE(is_running(before.supervisor)) << "two sandboxes of one workspace";
  EXPECT_TRUE(is_there(before.generation));
  EXPECT_EQ(inside("/workspace/mine.txt"), "");
  EXPECT_FALSE(store::Journal::pending(paths().journal()));
}

TEST_F(GenerationsTest, AnUndoGoesBackAndCanBeUndone) {
  write_inside("/workspace/mine.txt", "mine\n");
  auto workspace = locked();
  renew(*context, workspace);
  write_inside("/workspace/later.txt", "later\n");
  for (int round = 0; round < 2; ++round) {
    const auto undo = *workspace.record.undo;
    const int left = workspace.record.generation;
    switch_generation(
        *context, workspace, "undo", {undo.layers, undo.host_directories}, undo.generation, KeepUndo::yes,
        "undo");
    EXPECT_EQ(record().generation, undo.generation);
    EXPECT_EQ(record().base, undo.base);
    EXPECT_EQ(record().undo->generation, left);
    EXPECT_EQ(inside("/workspace/mine.txt"), round == 0 ? "mine\n" : "");
    EXPECT_EQ(inside("/workspace/later.txt"), round == 0 ? "" : "later\n");
  }
}

TEST_F(GenerationsTest, OnlyOneUndoPointIsKept) {
  auto workspace = locked();
  renew(*context, workspace);
  renew(*context, workspace);
  EXPECT_EQ(record().undo->generation, 2);
  EXPECT_TRUE(testing::eventually([&] { return !is_there(1); }));
  EXPECT_TRUE(is_there(2) && is_there(3));
  renew(*context, workspace, KeepUndo::no);
  EXPECT_FALSE(record().undo);
  EXPECT_TRUE(testing::eventually([&] { return !is_there(2) && !is_there(3); }));
  workspace.record.lifecycle.undo_ms = 0;
  renew(*context, workspace);
  EXPECT_FALSE(record().undo) << "the file says that none is kept";
  EXPECT_TRUE(testing::eventually([&] { return !is_there(4); }));
}

TEST_F(GenerationsTest, AStartThatFailsEndsStoppedOnTheOldContent) {
  auto workspace = locked();
  renew(*context, workspace);
  write_inside("/workspace/mine.txt", "mine\n");
  const auto before = workspace.record;
  controls->fails_to_start = true;
  bool is_changed = false;
  EXPECT_THROW(renew(*context, workspace, KeepUndo::yes, [&](auto&) { is_changed = true; }), Error);
  const auto after = record();
  EXPECT_FALSE(is_changed);
  EXPECT_EQ(after.state, store::WorkspaceState::stopped);
  EXPECT_NE(after.last_error, "");
  EXPECT_FALSE(after.supervisor || after.sandbox_pid);
  EXPECT_FALSE(is_running(before.supervisor));
  EXPECT_EQ(after.generation, before.generation);
  EXPECT_EQ(after.undo->generation, before.undo->generation) << "the undo point is the old one";
  EXPECT_FALSE(is_there(before.generation + 1));
  EXPECT_FALSE(store::Journal::pending(paths().journal()));

  EXPECT_THROW(start_workspace(*context, workspace), Error);
  EXPECT_EQ(record().state, store::WorkspaceState::stopped);
  controls->fails_to_start = false;
  start_workspace(*context, workspace);
  EXPECT_EQ(record().state, store::WorkspaceState::started);
  EXPECT_EQ(record().last_error, "");
  EXPECT_EQ(inside("/workspace/mine.txt"), "mine\n");
}

TEST_F(GenerationsTest, AnUndoThatCannotStartLosesNeither) {
  auto workspace = locked();
  renew(*context, workspace);
  const auto undo = *workspace.record.undo;
  controls->fails_to_start = true;
  const store::LayerStack stack{undo.layers, undo.host_directories};
  EXPECT_THROW(
      switch_generation(*context, workspace, "undo", stack, undo.generation, KeepUndo::yes, "undo"), Error);
  EXPECT_EQ(record().generation, 2);
  EXPECT_EQ(record().undo->generation, undo.generation);
  EXPECT_TRUE(is_there(undo.generation) && is_there(2));
}

TEST_F(GenerationsTest, ANumberIsNeverUsedTwice) {
  const auto workspace = locked();
  EXPECT_EQ(next_generation(paths(), workspace.record), 2);
  fs::create_directories(paths().generation(7)); // of a killed process
  EXPECT_EQ(next_generation(paths(), workspace.record), 8);
}

TEST_F(GenerationsTest, StoppingIsRecordedOnce) {
  auto workspace = locked();
  const auto before = workspace.record;
  stop_workspace(*context, workspace, std::chrono::milliseconds(0));
  EXPECT_EQ(record().state, store::WorkspaceState::stopped);
  EXPECT_FALSE(is_running(before.supervisor));
  const auto revision = record().revision;
  stop_workspace(*context, workspace, std::chrono::milliseconds(0));
  EXPECT_EQ(record().revision, revision);
}

} // namespace
} // namespace pyro::workspace
