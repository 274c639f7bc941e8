// What the kernel counts by user or for the machine: one sandbox takes all that it can get and keeps it; then
// root outside and a second sandbox use the same. Run alone.
#include "../support/home.hpp"
#include "../support/sampling.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

namespace pyro::testing {
namespace {

class KernelLimits : public Functional, public ::testing::WithParamInterface<const char*> {
protected:
  void SetUp() override {
    Functional::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    spec();
    fs::copy_file(program(), project() / "attack_limits");
  }

  static fs::path program() { return binary_dir() / "bin/attacks/attack_limits"; }

  /// In the background inside, until the sandbox ends. The verdict: "took 128, then EMFILE".
  std::string exhaust(const std::string& what, const std::string& how) {
    const auto result = inside(
        "mkfifo hold && (./attack_limits " + what + " " + how
        + " <> hold > taken 2>&1 &); until grep -q took taken; do sleep 0.05; done; cat taken");
    EXPECT_EQ(result.status, 0) << result;
    return result.out;
  }
};

TEST_P(KernelLimits, TakenInsideAreThereOutsideAndForOthers) {
  const std::string what = GetParam();
  const auto second = another_project("second");
  spec("", second);
  fs::copy_file(program(), second / "attack_limits");
  if (what == "epoll") {
    if (!all_cases()) {
      GTEST_SKIP() << "half a minute and 1 GiB: tried by make check-long";
    }
    if (::geteuid() != 0) {
      return; // counted for the user who starts it: UserLimits
    }
    // The kernel's limit is 4 % of the memory, and that is what it takes.
    replace_in_file(project() / "pyro.yaml", "memory: 256MiB", "memory: 6GiB");
  }
  expect(0, {"apply"});
  expect(0, {"apply"}, {.cwd = second});
  // An ordinary user's sandboxes are counted for the user: each may take half, of inotify each of its ids.
  const bool is_root = ::geteuid() == 0;
  const auto taken = exhaust(what, is_root || what != "inotify" ? "spread" : "alone");
  std::printf("%s: %s", what.c_str(), taken.c_str());
  EXPECT_EQ(taken.find("then 0"), std::string::npos) << "nothing stopped it: " << taken;
  if (what == "epoll") {
    EXPECT_NE(taken.find("then ENOSPC"), std::string::npos)
        << "the user's watches were not all taken: " << taken;
  }
  const auto outside = command({program().string(), what, "few"});
  EXPECT_EQ(outside.out.rfind("took 5,", 0), 0U) << "the user outside has none left: " << outside;
  if (!is_root && what != "terminals" && what != "files") {
    return;
  }
  const auto other = pyro({"exec", "--", "./attack_limits", what, "few"}, {.cwd = second});
  EXPECT_EQ(other.out.rfind("took 5,", 0), 0U) << "another sandbox has none left: " << other;
}

INSTANTIATE_TEST_SUITE_P(
    Each, KernelLimits,
    ::testing::Values("inotify", "signals", "timers", "terminals", "files", "queues", "epoll"),
    [](const auto& each) { return std::string(each.param); });

/// What an ordinary user's sandboxes take counts for the user.
class UserLimits : public KernelLimits {};

TEST_P(UserLimits, ASandboxThatTakesThemAllIsEnded) {
  const std::string given = GetParam();
  const auto what = given.substr(0, given.find('_'));
  const auto how = given.substr(given.find('_') + 1);
  if (::geteuid() == 0) {
    GTEST_SKIP() << "sandboxes of root are users of their own: KernelLimits";
  }
  if (what == "epoll" && !all_cases()) {
    GTEST_SKIP() << "half a minute and 1 GiB: tried by make check-long";
  }
  const auto second = another_project("second");
  spec("", second);
  fs::copy_file(program(), second / "attack_limits");
  replace_in_file(project() / "pyro.yaml", "memory: 256MiB", "memory: 6GiB");
  expect(0, {"apply"});
  expect(0, {"apply"}, {.cwd = second});
  const auto attack =
      pyro({"exec", "--", "sh", "-c", "exec ./attack_limits " + what + " " + how + " < /dev/zero"});
  EXPECT_NE(attack.status, 0) << attack;
  EXPECT_NE((attack.out + attack.err).find("that you may have"), std::string::npos) << attack;
  const auto outside = command({program().string(), what, "few"});
  EXPECT_EQ(outside.out.rfind("took 5,", 0), 0U) << "the user outside has none left: " << outside;
  const auto other = pyro({"exec", "--", "./attack_limits", what, "few"}, {.cwd = second});
  EXPECT_EQ(other.out.rfind("took 5,", 0), 0U) << "another sandbox has none left: " << other;
  const auto status = expect(0, {"status"});
  EXPECT_NE(status.out.find("all processes were ended at"), std::string::npos) << status;
  EXPECT_EQ(expect(0, {"status"}, {.cwd = second}).out.find("processes were ended"), std::string::npos);
  EXPECT_EQ(inside("echo still here").out, "still here\n");
}

INSTANTIATE_TEST_SUITE_P(
    Each, UserLimits,
    ::testing::Values(
        "inotify_spread", "inotify_flight", "inotify_thread", "epoll_spread", "epoll_flight", "epoll_thread"),
    [](const auto& each) { return std::string(each.param); });

class FewProcesses : public Functional {};

/// `ulimit -Hu`, or a machine with little memory: less than resources.pids, and nobody in a sandbox may raise
/// it.
TEST_F(FewProcesses, ASandboxStartsWithWhatThereIs) {
  spec();
  replace_in_file(project() / "pyro.yaml", "memory: 256MiB", "memory: 256MiB, pids: 100000");
  RunOptions there;
  const auto result = os::run(
      {.argv = {"/usr/bin/prlimit", "--nproc=5000:5000", (bin / "pyro").string(), "apply", "--yes"},
       .env = environment(there),
       .cwd = project().string()});
  EXPECT_TRUE(result.outcome.ok()) << result.err;
  EXPECT_LE(std::stol(inside("awk '/Max processes/ {print $4}' /proc/self/limits").out), 5000);
}

} // namespace
} // namespace pyro::testing
