// What a killed first apply left goes with the next one, whether that succeeds (kill_points_test.cpp) or
// fails.
#include "world.hpp"

namespace pyro::testing {
namespace {

class FirstApply : public World {};

TEST_F(FirstApply, KilledAndThenFailedLeavesNothing) {
  declare();
  const auto killed = pyro({"apply", "--yes"}, {.env = {{"PYRO_CRASH_AT", "apply.action:2"}}});
  ASSERT_EQ(killed.status, 137) << killed;
  ASSERT_EQ(workspace_ids().size(), 1U) << "it was killed before there was anything";
  replace_in_file(project() / "pyro.yaml", "cat a.txt unique > made.txt", "exit 3");
  const auto failed = pyro({"apply", "--yes"});
  EXPECT_EQ(failed.status, 1) << failed;
  EXPECT_TRUE(workspace_ids().empty()) << "the unfinished workspace is still there";
  replace_in_file(project() / "pyro.yaml", "exit 3", "true");
  expect(0, {"apply", "--yes"});
  expect_sound();
  clear();
}

TEST_F(FirstApply, KilledBeforeItsRecordLeavesNothingToTheNextCommand) {
  declare();
  const auto kill_it = [&] {
    const auto killed = pyro({"apply", "--yes"}, {.env = {{"PYRO_CRASH_AT", "workspace.unrecorded"}}});
    ASSERT_EQ(killed.status, 137) << killed;
    ASSERT_EQ(workspace_ids().size(), 1U) << "it was killed before there was anything";
  };
  kill_it();
  EXPECT_EQ(pyro({"destroy", "--yes"}).status, 1) << "nobody knows of it";
  EXPECT_TRUE(workspace_ids().empty());
  kill_it();
  expect(0, {"apply", "--yes"});
  EXPECT_EQ(workspace_ids().size(), 1U) << "what the killed one made is still there";
  expect_sound();
  clear();
}

} // namespace
} // namespace pyro::testing
