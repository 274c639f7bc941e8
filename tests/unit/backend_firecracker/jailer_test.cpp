#include <pyro/backend/firecracker/jailer.hpp>
#include <pyro/base/error.hpp>

#include <gtest/gtest.h>

namespace pyro::backend::firecracker {
namespace {

JailerOptions options() {
  JailerOptions options;
  options.jailer = "/usr/bin/jailer";
  options.exec_file = "/usr/bin/firecracker";
  options.id = "shop-1a2b";
  options.uid = 64000;
  options.gid = 64001;
  options.chroot_base_dir = "/var/lib/pyro/jails";
  return options;
}

std::string line_of(const JailerOptions& options) {
  std::string line;
  for (const auto& argument : jailer_arguments(options)) {
    line += (line.empty() ? "" : " ") + argument;
  }
  return line;
}

std::string refusal(const JailerOptions& options) {
  try {
    jailer_arguments(options);
    return "none";
  } catch (const Error& error) {
    return error.message();
  }
}

TEST(Jailer, CommandLineWithNothingOptional) {
  EXPECT_EQ(
      line_of(options()),
      "/usr/bin/jailer --id shop-1a2b --exec-file /usr/bin/firecracker --uid 64000 --gid 64001 "
      "--chroot-base-dir /var/lib/pyro/jails -- --api-sock /run/firecracker.socket");
}

TEST(Jailer, CommandLineWithEverything) {
  auto all = options();
  all.netns = "/run/netns/shop";
  all.parent_cgroup = "pyro/vms";
  all.cgroup = {{"memory.max", "268435456"}, {"cpu.max", "200000 100000"}};
  all.max_file_size = 1 << 30;
  all.max_open_files = 512;
  EXPECT_EQ(
      jailer_arguments(all), (std::vector<std::string>{
                                 "/usr/bin/jailer",
                                 "--id",
                                 "shop-1a2b",
                                 "--exec-file",
                                 "/usr/bin/firecracker",
                                 "--uid",
                                 "64000",
                                 "--gid",
                                 "64001",
                                 "--chroot-base-dir",
                                 "/var/lib/pyro/jails",
                                 "--netns",
                                 "/run/netns/shop",
                                 "--cgroup-version",
                                 "2",
                                 "--parent-cgroup",
                                 "pyro/vms",
                                 "--cgroup",
                                 "memory.max=268435456",
                                 "--cgroup",
                                 "cpu.max=200000 100000",
                                 "--resource-limit",
                                 "fsize=1073741824",
                                 "--resource-limit",
                                 "no-file=512",
                                 "--",
                                 "--api-sock",
                                 "/run/firecracker.socket"}));
  all.cgroup_version = 1;
  EXPECT_NE(line_of(all).find("--cgroup-version 1"), std::string::npos);
}

TEST(Jailer, PathsInsideAndOutside) {
  EXPECT_EQ(jail_root(options()), "/var/lib/pyro/jails/firecracker/shop-1a2b/root");
  EXPECT_EQ(
      path_on_host(options(), k_api_socket_in_jail),
      "/var/lib/pyro/jails/firecracker/shop-1a2b/root/run/firecracker.socket");
  auto other = options();
  other.exec_file = "/opt/firecracker-v1.17";
  EXPECT_EQ(jail_directory(other), "/var/lib/pyro/jails/firecracker-v1.17/shop-1a2b");
}

TEST(Jailer, WhatItWouldRefuseIsNotTried) {
  auto wrong = options();
  wrong.id = "shop_1";
  EXPECT_EQ(refusal(wrong), "a jail's id has letters, digits and -, at most 64, found 'shop_1'");
  wrong.id = std::string(65, 'a');
  EXPECT_NE(refusal(wrong), "none");
  wrong.id = "../../etc";
  EXPECT_NE(refusal(wrong), "none");
  wrong = options();
  wrong.exec_file = "/bin/sh";
  EXPECT_EQ(refusal(wrong), "the jailer runs programs named like firecracker only, not /bin/sh");
  wrong = options();
  wrong.uid = 0;
  EXPECT_EQ(refusal(wrong), "Firecracker is not to run as root");
  wrong = options();
  wrong.netns = "relative";
  EXPECT_NE(refusal(wrong), "none");
  wrong = options();
  wrong.parent_cgroup = "../up";
  EXPECT_NE(refusal(wrong), "none");
  wrong = options();
  wrong.cgroup = {{"../memory.max", "1"}};
  EXPECT_NE(refusal(wrong), "none");
}

TEST(Jailer, AnyNameBecomesAnId) {
  EXPECT_EQ(jail_id_of("shop-1a2b"), "shop-1a2b");
  const auto odd = jail_id_of("shop_1.a");
  EXPECT_TRUE(odd.starts_with("shop-1-a-")) << odd;
  EXPECT_NE(odd, jail_id_of("shop-1_a"));
  for (const auto& name : {std::string(200, 'x'), std::string("-x"), std::string()}) {
    auto with = options();
    with.id = jail_id_of(name);
    EXPECT_EQ(refusal(with), "none") << with.id;
  }
}

} // namespace
} // namespace pyro::backend::firecracker
