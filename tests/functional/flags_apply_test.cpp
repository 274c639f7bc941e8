// Flags of plan, apply and its second name up.
#include "flags.hpp"

namespace pyro::testing {
namespace {

/// A file that asks for no isolation, which a backend that isolates would serve as well.
void needs_a_word_for_no_isolation(Flags& test, const std::string& command) {
  write_file(
      test.project() / "pyro.yaml",
      "version: 1\nname: test\nisolation: host\nbackend: host\nenvironment: {image: host}\n"
      "seed: {from: seed}\n");
  const auto refused = test.pyro({command});
  EXPECT_NE(refused.status, 0) << refused;
  EXPECT_TRUE(contains(refused.err, "--allow-host-compat")) << refused;
  test.expect(0, {command, "--allow-host-compat"});
}

void applies_a_file_of_no_isolation(Flags& test, const std::string& command) {
  needs_a_word_for_no_isolation(test, command);
  EXPECT_EQ(test.json({"status"})["execution_mode"], "host_compat");
}

void waits_unless_told_otherwise(Flags& test, const std::string& command) {
  test.file("services:\n  never: {command: sleep 1000, readiness: {file: /tmp/never, deadline: 300ms}}\n");
  test.expect(0, {command, "--no-wait"});
  EXPECT_EQ(test.state_of_workspace(), "started");
  test.expect(0, {"destroy", "--yes"});
  test.expect(6, {command});
}

void builds_again_without_the_cache(Flags& test, const std::string& command) {
  test.file("prepare:\n  - {id: step, run: cat /proc/sys/kernel/random/uuid > made}\n"
            "snapshots: {done: {at: prepare}}\n");
  test.expect(0, {command});
  const auto first = test.inside("cat made").out;
  test.expect(0, {"destroy", "--yes"});
  test.expect(0, {command});
  EXPECT_EQ(test.inside("cat made").out, first) << "the control: the cache is used";
  test.expect(0, {"destroy", "--yes"});
  test.expect(0, {command, "--no-cache"});
  const auto second = test.inside("cat made").out;
  EXPECT_NE(second, first);

  // The same where the workspace is there, and what was changed in it is not thrown away unasked.
  test.expect(0, {command});
  EXPECT_EQ(test.inside("cat made").out, second);
  EXPECT_EQ(test.inside("echo mine > mine").status, 0);
  test.expect(7, {command, "--no-cache"});
  EXPECT_EQ(test.inside("cat made mine").out, second + "mine\n");
  const auto done = test.expect(0, {command, "--no-cache", "--yes"});
  const auto third = test.inside("cat made").out;
  EXPECT_NE(third, second) << done;
  EXPECT_NE(test.inside("cat mine").status, 0);
  test.expect(0, {"reset", "--yes"});
  EXPECT_EQ(test.inside("cat made").out, third) << "the snapshot is of what was built";
  EXPECT_TRUE(contains(test.expect(0, {command}).all(), "Nothing to do"));
}

void is_over_in_time(Flags& test, const std::string& command) {
  test.file("prepare:\n  - {id: step, run: sleep 0.6}\n");
  test.expect(124, {command, "--timeout", "200ms"});
  test.expect(0, {command});
}

void tells_changes_by_its_status(Flags& test, const std::string& command) {
  test.file();
  test.expect(0, {command});
  test.expect(0, {"destroy", "--yes"});
  test.expect(2, {command, "--detailed-exitcode"});
  test.expect(0, {command, "--detailed-exitcode"});
}

TEST_F(Flags, apply__allow_host_compat) {
  applies_a_file_of_no_isolation(*this, "apply");
}

TEST_F(Flags, up__allow_host_compat) {
  applies_a_file_of_no_isolation(*this, "up");
}

TEST_F(Flags, plan__allow_host_compat) {
  needs_a_word_for_no_isolation(*this, "plan");
}

TEST_F(Flags, why__allow_host_compat) {
  write_file(
      project() / "pyro.yaml",
      "version: 1\nname: test\nisolation: host\nbackend: host\nenvironment: {image: host}\n"
      "seed: {from: seed}\n");
  const auto refused = pyro({"why", "workspace"});
  EXPECT_NE(refused.status, 0) << refused;
  EXPECT_TRUE(contains(refused.err, "--allow-host-compat")) << refused;
  EXPECT_TRUE(contains(expect(0, {"why", "workspace", "--allow-host-compat"}).out, "workspace: "));
}

TEST_F(Flags, apply__no_wait) {
  waits_unless_told_otherwise(*this, "apply");
}

TEST_F(Flags, up__no_wait) {
  waits_unless_told_otherwise(*this, "up");
}

TEST_F(Flags, apply__no_cache) {
  builds_again_without_the_cache(*this, "apply");
}

TEST_F(Flags, up__no_cache) {
  builds_again_without_the_cache(*this, "up");
}

TEST_F(Flags, apply__timeout) {
  is_over_in_time(*this, "apply");
}

TEST_F(Flags, up__timeout) {
  is_over_in_time(*this, "up");
}

TEST_F(Flags, apply__detailed_exitcode) {
  tells_changes_by_its_status(*this, "apply");
}

TEST_F(Flags, up__detailed_exitcode) {
  tells_changes_by_its_status(*this, "up");
}

TEST_F(Flags, plan__detailed_exitcode) {
  file();
  expect(0, {"plan"});
  expect(2, {"plan", "--detailed-exitcode"});
  expect(0, {"apply"});
  expect(0, {"plan", "--detailed-exitcode"});
}

/// On nodes: tests/fleet.
void is_placed_here(Flags& test, const std::string& command) {
  test.file("");
  test.expect(0, {command, "--on", "here"});
  EXPECT_EQ(test.state_of_workspace(), "started");
  const auto refused = test.expect(64, {command, "--on", "there"});
  EXPECT_TRUE(contains(refused.err, "slurm:PARTITION")) << refused;
  const auto elsewhere = test.expect(1, {command, "--yes", "--on", "slurm:pyro"});
  EXPECT_TRUE(contains(elsewhere.err, "lives on this machine")) << elsewhere;
}

TEST_F(Flags, apply__on) {
  is_placed_here(*this, "apply");
}

TEST_F(Flags, up__on) {
  is_placed_here(*this, "up");
}

} // namespace
} // namespace pyro::testing
