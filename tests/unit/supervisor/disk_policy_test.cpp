#include <pyro/supervisor/disk_policy.hpp>

#include <gtest/gtest.h>

#include <random>

namespace pyro::supervisor {
namespace {

using Step = DiskPolicy::Step;
using Verdict = DiskPolicy::Verdict;
using std::chrono::milliseconds;

constexpr std::uint64_t k_mib = 1 << 20;
constexpr std::uint64_t k_much = 100'000 * k_mib;

/// A file system with a sandbox and others on it, and a clock.
class DiskPolicyTest : public ::testing::Test {
protected:
  DiskLimits limits{64 * k_mib, 65'536, 1024 * k_mib};
  DiskPolicy policy{limits};
  FileSystemState system{10'000 * k_mib, 1000, k_much};
  os::TreeUsage own;
  std::uint64_t written = 0;
  bool written_is_known = true;
  milliseconds now{0};

  void write(std::uint64_t bytes) {
    own.bytes += bytes;
    written += bytes;
    others(bytes);
  }

  void others(std::uint64_t bytes) {
    system.used_bytes += bytes;
    system.free_bytes -= std::min(system.free_bytes, bytes);
  }

  Step tick() {
    now += policy.pause();
    return policy.next(
        now, system, [this] { return written_is_known ? std::optional(written) : std::nullopt; });
  }

  Verdict look(milliseconds cost = milliseconds(1)) {
    now += cost;
    return policy.looked(now, cost, own);
  }

  void begin() {
    ASSERT_EQ(tick(), Step::look);
    ASSERT_EQ(look(), Verdict::within);
  }
};

TEST_F(DiskPolicyTest, NothingIsLookedAtWhereNothingHappens) {
  begin();
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_EQ(tick(), Step::rest);
  }
}

TEST_F(DiskPolicyTest, LooksBecomeFewWithTheRoomThatIsLeft) {
  begin();
  int looks = 0;
  while (own.bytes < limits.bytes) {
    write(k_mib / 4);
    if (tick() != Step::rest) {
      ++looks;
      ASSERT_EQ(look(), Verdict::within);
    }
  }
  EXPECT_LE(looks, 12); // each time half of the room that was left
}

TEST_F(DiskPolicyTest, WhoGoesOverIsStoppedAndStandsStillWhileBeingCounted) {
  begin();
  write(70 * k_mib);
  EXPECT_EQ(tick(), Step::look_frozen);
  EXPECT_EQ(look(), Verdict::too_many_bytes);
}

TEST_F(DiskPolicyTest, OthersAreNoReasonToStandStill) {
  begin();
  others(1000 * k_mib);
  EXPECT_EQ(tick(), Step::look);
  EXPECT_EQ(look(), Verdict::within);
}

TEST_F(DiskPolicyTest, WhoFreesMeanwhileHidesNobody) {
  begin();
  for (int i = 0; i < 70; ++i) {
    write(k_mib);
    if (tick() != Step::rest && look() == Verdict::too_many_bytes) {
      return;
    }
    system.used_bytes -= k_mib; // somebody deletes as much
    if (tick() != Step::rest && look() == Verdict::too_many_bytes) {
      return;
    }
  }
  FAIL() << "70 MiB went unseen";
}

TEST_F(DiskPolicyTest, WithoutAccountsOfProcessesEveryGrowthIsTheSandboxs) {
  written_is_known = false;
  begin();
  others(100 * k_mib);
  EXPECT_EQ(tick(), Step::look_frozen);
}

TEST_F(DiskPolicyTest, FilesCountAsWell) {
  begin();
  own.entries = 70'000;
  system.used_entries += 70'000;
  EXPECT_NE(tick(), Step::rest);
  EXPECT_EQ(look(), Verdict::too_many_entries);
}

TEST_F(DiskPolicyTest, WhoIsOverMayCleanUpButNotGrow) {
  begin();
  write(70 * k_mib);
  tick();
  ASSERT_EQ(look(), Verdict::too_many_bytes);
  EXPECT_EQ(look(), Verdict::within) << "stopped once for what it was stopped for";
  write(k_mib / 2);
  EXPECT_EQ(look(), Verdict::within);
  write(k_mib);
  EXPECT_EQ(look(), Verdict::too_many_bytes);
  own.bytes = 66 * k_mib;
  EXPECT_EQ(look(), Verdict::within);
  own.bytes = 68 * k_mib;
  EXPECT_EQ(look(), Verdict::too_many_bytes) << "what was given back is not given again";
  own.bytes = 10 * k_mib;
  EXPECT_EQ(look(), Verdict::within);
  own.bytes = 64 * k_mib;
  EXPECT_EQ(look(), Verdict::within);
}

TEST_F(DiskPolicyTest, WhatWasWrittenUntilTheWritersEndedIsNotHeldAgainstTheNext) {
  begin();
  write(70 * k_mib);
  tick();
  ASSERT_EQ(look(), Verdict::too_many_bytes);
  write(30 * k_mib);
  policy.writers_ended();
  ASSERT_NE(tick(), Step::rest) << "at once";
  EXPECT_EQ(look(), Verdict::within);
  write(k_mib / 2);
  EXPECT_EQ(look(), Verdict::within);
  write(k_mib);
  EXPECT_EQ(look(), Verdict::too_many_bytes);
}

TEST_F(DiskPolicyTest, BelowTheReserveWhatOthersWroteBeforeTheyEndedCoversNobody) {
  begin();
  system.free_bytes = limits.reserve - 1;
  written = 1000 * k_mib;
  tick();
  written = 0; // its processes are gone
  EXPECT_NE(tick(), Step::stop_for_reserve);
  written = 2 * k_mib;
  EXPECT_EQ(tick(), Step::stop_for_reserve);
}

TEST_F(DiskPolicyTest, ALargerLimitHolds) {
  begin();
  policy.set_limits({256 * k_mib, 65'536, limits.reserve});
  write(128 * k_mib);
  EXPECT_EQ(look(), Verdict::within);
}

TEST_F(DiskPolicyTest, TheReserveStopsOnlyWhoWrites) {
  begin();
  system.free_bytes = limits.reserve - 1;
  EXPECT_EQ(tick(), Step::rest);
  others(k_mib);
  system.free_bytes = limits.reserve - 1;
  for (int i = 0; i < 10; ++i) {
    EXPECT_NE(tick(), Step::stop_for_reserve);
  }
  written += 2 * k_mib;
  EXPECT_EQ(tick(), Step::stop_for_reserve);
  EXPECT_NE(tick(), Step::stop_for_reserve) << "once, and then it may delete";
}

TEST_F(DiskPolicyTest, LongLooksAreRareUnlessTheSandboxIsAboutToBeOver) {
  begin();
  others(40 * k_mib);
  ASSERT_EQ(tick(), Step::look);
  ASSERT_EQ(look(milliseconds(2000)), Verdict::within);
  const auto ended = now;
  others(40 * k_mib);
  while (tick() == Step::rest) {
  }
  EXPECT_GE(now - ended, milliseconds(40'000)) << "a twentieth of the time";
}

TEST_F(DiskPolicyTest, ThePauseFollowsTheRoom) {
  begin();
  EXPECT_EQ(policy.pause(), milliseconds(20));
  policy.set_limits(disk_limits_of(8ULL << 30, k_much));
  EXPECT_EQ(policy.pause(), milliseconds(500));
}

/// However a sandbox writes: what it has beyond the limit when it is stopped was written within one pause.
TEST_F(DiskPolicyTest, PropertyNobodyGetsFar) {
  std::mt19937 random(7);
  for (int round = 0; round < 500; ++round) {
    policy = DiskPolicy(limits);
    own = {};
    written = 0;
    std::uint64_t last = 0;
    bool stopped = false;
    for (int i = 0; i < 100'000 && !stopped; ++i) {
      last = random() % (8 * k_mib);
      write(last);
      others(random() % 4 == 0 ? random() % (64 * k_mib) : 0);
      system.free_bytes = k_much;
      stopped = tick() != Step::rest && look() == Verdict::too_many_bytes;
    }
    ASSERT_TRUE(stopped);
    ASSERT_LE(own.bytes, limits.bytes + 8 * k_mib + k_mib) << "round " << round;
  }
}

TEST(DiskLimits, FilesFollowTheSize) {
  EXPECT_EQ(disk_limits_of(8ULL << 30, k_much).entries, 524'288U);
  EXPECT_EQ(disk_limits_of(64 * k_mib, k_much).entries, 65'536U);
  EXPECT_EQ(disk_limits_of(1, 10'000 * k_mib).reserve, 200 * k_mib);
  EXPECT_EQ(disk_limits_of(1, ~0ULL >> 1).reserve, 1024 * k_mib);
}

} // namespace
} // namespace pyro::supervisor
