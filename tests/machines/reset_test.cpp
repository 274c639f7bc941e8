#include "machines.hpp"

#include <pyro/base/json_access.hpp>

#include <signal.h>

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
