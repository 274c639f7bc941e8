#include <pyro/os/mount_table.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace pyro::os {

TEST(MountTable, IsReadAsTheKernelWritesIt) {
  const auto entries =
      mount_entries("21 1 254:0 / / rw,relatime shared:1 master:2 - ext4 /dev/root rw,errors=remount-ro\n"
                    "33 21 0:29 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory\n"
                    "40 21 0:50 /a /mnt/with\\040a\\134name ro - tmpfs tmpfs rw\n");
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].point, "/");
  EXPECT_EQ(entries[0].options, "rw,relatime");
  EXPECT_EQ(entries[0].type, "ext4");
  EXPECT_EQ(entries[0].super_options, "rw,errors=remount-ro");
  EXPECT_EQ(entries[1].type, "cgroup");
  EXPECT_EQ(entries[1].super_options, "rw,memory");
  EXPECT_EQ(entries[2].point, "/mnt/with a\\name");
}

TEST(MountTable, WhatIsNoLineIsLeftOut) {
  EXPECT_TRUE(mount_entries("").empty());
  EXPECT_TRUE(
      mount_entries("21 1 254:0 /\n21 1 254:0 / / rw -\n21 1 254:0 / / rw - ext4 /dev/root\n").empty());
}

TEST(MountTable, OfThisProcessHasARoot) {
  const auto entries = mount_entries();
  EXPECT_TRUE(std::any_of(
      entries.begin(), entries.end(), [](const MountEntry& entry) { return entry.point == "/"; }));
}

} // namespace pyro::os
