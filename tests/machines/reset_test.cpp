#include "machines.hpp"

#include <pyro/base/json_access.hpp>

#include <array>
#include <signal.h>
#include <sstream>

namespace pyro::testing {
namespace {

TEST_F(Machines, ComesBackFromAKernelPanic) {
  expect(0, {"apply", "--yes"});
  EXPECT_NE(inside("echo c > /proc/sysrq-trigger").status, 0);
  EXPECT_TRUE(eventually([&] { return state_of_workspace() == "stopped"; }));
  const auto status = expect(0, {"status"});
  EXPECT_NE(status.all().find("backing guest process"), std::string::npos) << status;
  expect(0, {"reset", "--yes"});
  EXPECT_EQ(inside("cat a.txt /tmp/up").out, "one\nup\n");
}

TEST_F(Machines, WhatACommandWroteOutlivesTheMachine) {
  expect(0, {"apply", "--yes"});
  EXPECT_EQ(
      inside("echo kept > kept.txt; dd if=/dev/urandom of=big bs=1M count=8 2>/dev/null; md5sum big > sum")
          .status,
      0);
  const auto pids = machines_running();
  ASSERT_EQ(pids.size(), 1U);
  ::kill(pids[0], SIGKILL);
  EXPECT_TRUE(eventually([&] { return state_of_workspace() == "stopped"; }));
  const auto changes = expect(0, {"diff"});
  EXPECT_NE(changes.all().find("kept.txt"), std::string::npos) << "read from its disk: " << changes;
  expect(0, {"apply", "--yes"});
  EXPECT_EQ(inside("cat kept.txt && md5sum -c sum >/dev/null && echo whole").out, "kept\nwhole\n");
}

/// As in namespaces: docs/decisions/0050.
TEST_F(Machines, ADirectoryOfTheSeedIsCopiedWhenItIsMoved) {
  write_file(project() / "dir/deep/file", "content\n");
  expect(0, {"apply", "--yes"});
  const auto numbers = inside("ls -di dir; mv dir moved && ls -di moved; mv moved again && ls -di again");
  EXPECT_EQ(numbers.status, 0) << numbers;
  std::istringstream in(numbers.out);
  std::array<std::string, 6> words;
  for (auto& word : words) {
    in >> word;
  }
  EXPECT_NE(words[0], words[2]) << numbers;
  EXPECT_EQ(words[2], words[4]) << "by now it is the workspace's own: " << numbers;
  expect(0, {"snapshot", "save", "point"});
  expect(0, {"reset", "--yes"});
  EXPECT_EQ(inside("cat dir/deep/file; ls -d again").out, "content\n");
  expect(0, {"reset", "--yes", "--to", "point"});
  EXPECT_EQ(inside("cat again/deep/file; ls -d dir").out, "content\n");
}

TEST_F(Machines, AFullDiskIsTheGuestsOwnAffair) {
  expect(0, {"apply", "--yes"});
  const auto filled = inside("dd if=/dev/zero of=/filler bs=1M count=3000 2>&1; echo; df -k / | tail -1");
  EXPECT_NE(filled.all().find("No space left"), std::string::npos) << filled;
  EXPECT_EQ(inside("rm /filler; echo fine > a.txt; cat a.txt").out, "fine\n");
  expect(0, {"reset", "--yes"});
  EXPECT_EQ(inside("cat a.txt").out, "one\n");
}

} // namespace
} // namespace pyro::testing
