// What is read of control groups: both versions as their files are, in a directory of ours.
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/resource_use.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace pyro::os {
namespace {

class CgroupFiles : public ::testing::Test {
protected:
  std::string group(const std::string& name, const std::map<std::string, std::string>& files) {
    const auto directory = m_directory.path() + "/" + name;
    std::filesystem::create_directories(directory);
    for (const auto& [file, text] : files) {
      std::ofstream(directory + "/" + file) << text;
    }
    return directory;
  }

private:
  TempDir m_directory{::testing::TempDir(), "groups"};
};

TEST_F(CgroupFiles, OfVersion2) {
  const auto use = use_of_cgroups({group(
      "v2", {{"cpu.stat", "usage_usec 1234\nuser_usec 1000\nsystem_usec 234\n"},
             {"cpu.max", "150000 100000\n"},
             {"memory.current", "1000000\n"},
             {"memory.peak", "2000000\n"},
             {"memory.max", "4000000\n"},
             {"memory.stat", "anon 5\nfile 7\nactive_file 3\ninactive_file 400000\n"},
             {"pids.current", "12\n"},
             {"pids.max", "max\n"}})});
  ASSERT_TRUE(use.cpu && use.memory && use.pids);
  EXPECT_EQ(use.cpu->usec, 1234U);
  EXPECT_DOUBLE_EQ(*use.cpu->limit, 1.5);
  EXPECT_EQ(use.memory->bytes, 600000U) << "without what the kernel gives back";
  EXPECT_EQ(use.memory->cached_bytes, 400000U);
  EXPECT_EQ(use.memory->peak_bytes, 2000000U);
  EXPECT_EQ(use.memory->limit_bytes, 4000000U);
  EXPECT_EQ(use.pids->count, 12U);
  EXPECT_FALSE(use.pids->limit);
  EXPECT_EQ(use.memory->by, CountedBy::cgroup);
}

TEST_F(CgroupFiles, OfVersion1InSeveralHierarchies) {
  const auto use = use_of_cgroups(
      {group("unified", {{"cpu.stat", "usage_usec 99\n"}}),
       group(
           "memory", {{"memory.usage_in_bytes", "1000\n"},
                      {"memory.max_usage_in_bytes", "3000\n"},
                      {"memory.limit_in_bytes", "9223372036854771712\n"},
                      {"memory.stat", "cache 1\ninactive_file 1\ntotal_inactive_file 200\n"}}),
       group("pids", {{"pids.current", "4\n"}, {"pids.max", "50\n"}}),
       group(
           "cpu", {{"cpu.cfs_quota_us", "200000\n"},
                   {"cpu.cfs_period_us", "100000\n"},
                   {"cpu.stat", "nr_periods 0\nnr_throttled 0\n"}})});
  ASSERT_TRUE(use.cpu && use.memory && use.pids);
  EXPECT_EQ(use.cpu->usec, 99U);
  EXPECT_DOUBLE_EQ(*use.cpu->limit, 2.0);
  EXPECT_EQ(use.memory->bytes, 800U);
  EXPECT_EQ(use.memory->peak_bytes, 3000U);
  EXPECT_FALSE(use.memory->limit_bytes) << "the largest number is no limit";
  EXPECT_EQ(use.pids->limit, 50U);
}

TEST_F(CgroupFiles, WhatIsNotCountedIsAbsent) {
  const auto without_controllers =
      use_of_cgroups({group("bare", {{"cpu.stat", "usage_usec 5\n"}}), "/nowhere"});
  EXPECT_TRUE(without_controllers.cpu && !without_controllers.cpu->limit);
  EXPECT_FALSE(without_controllers.memory || without_controllers.pids);
  EXPECT_FALSE(use_of_cgroups({}).cpu);
  const auto without_peak = use_of_cgroups({group("old", {{"memory.current", "5\n"}})});
  ASSERT_TRUE(without_peak.memory);
  EXPECT_EQ(without_peak.memory->bytes, 5U);
  EXPECT_FALSE(without_peak.memory->peak_bytes || without_peak.memory->cached_bytes);
  EXPECT_FALSE(use_of_cgroups({group("strange", {{"memory.current", "much\n"}})}).memory);
}

TEST(ResourceUseOfAProcess, IsItsOwn) {
  const auto use = use_of_process(::getpid());
  ASSERT_TRUE(use.cpu && use.memory && use.pids);
  EXPECT_GT(use.memory->bytes, 0U);
  EXPECT_GE(use.memory->peak_bytes, use.memory->bytes);
  EXPECT_GE(use.pids->count, 1U);
  EXPECT_FALSE(use_of_process(0).cpu);
}

TEST(ResourceUseOfThisMachine, HasALimit) {
  const auto use = use_of_machine();
  ASSERT_TRUE(use.cpu && use.memory);
  EXPECT_GT(use.cpu->usec, 0U);
  EXPECT_EQ(use.cpu->limit, static_cast<double>(::sysconf(_SC_NPROCESSORS_ONLN)));
  EXPECT_LT(use.memory->bytes, *use.memory->limit_bytes);
  EXPECT_FALSE(use.pids);
}

} // namespace
} // namespace pyro::os
