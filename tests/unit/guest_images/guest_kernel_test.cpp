#include "guest_kernel_fixture.hpp"

namespace pyro::guest_images {

TEST_F(GuestKernelTest, IsFetchedOnceAndFoundByOthers) {
  EXPECT_FALSE(kernels().find());
  try {
    std::ignore = kernels().require();
    FAIL() << "there is none";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unavailable);
    EXPECT_NE(error.hint().find("pyro env pull"), std::string::npos);
  }
  const auto pulled = kernels().pull();
  EXPECT_EQ(pulled["status"], "installed");
  EXPECT_EQ(pulled["version"], "6.1.0-test");
  EXPECT_EQ(pulled["packages"][0]["name"], "linux-image-test");
  const auto found = kernels().find();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->digest, pulled["digest"]);
  EXPECT_EQ(os::read_file(found->kernel_path), "kernel 6.1.0-test");
  EXPECT_EQ(found->details["modules"].size(), 18U);
  EXPECT_EQ(found->details["initramfs"]["digest"], sha256_of(os::read_file(found->initrd_path)));

  struct stat status {};

  EXPECT_EQ(::stat(found->kernel_path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0444U);
  EXPECT_EQ(::stat(found->initrd_path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0444U);
  EXPECT_EQ(kernels().pull()["status"], "present");
  EXPECT_EQ(kernels().ensure().digest, found->digest);
  EXPECT_EQ(m_fetched, 1);
  EXPECT_EQ(os::list_directory(directory()).size(), 2U) << "the kernel and the lock";
}

TEST_F(GuestKernelTest, AnotherAgentMeansAnotherInitramfsAndNoFetch) {
  const auto one = kernels().ensure();
  write("pyro-agent", "agent 2", 0755);
  const auto other = kernels().find();
  ASSERT_TRUE(other);
  EXPECT_NE(other->digest, one.digest);
  EXPECT_NE(other->initrd_path, one.initrd_path);
  EXPECT_EQ(other->kernel_path, one.kernel_path);
  EXPECT_NE(os::read_file(other->initrd_path).find("agent 2"), std::string::npos);
  EXPECT_TRUE(os::exists(one.initrd_path)) << "somebody may be starting with it";
  write("pyro-agent", "agent 1", 0755);
  EXPECT_EQ(kernels().find()->digest, one.digest);
  EXPECT_EQ(m_fetched, 1);
}

TEST_F(GuestKernelTest, WhatIsDamagedIsRepaired) {
  const auto good = kernels().ensure();
  const auto spoil = [](const std::string& file) {
    ASSERT_EQ(::chmod(file.c_str(), 0644), 0);
    os::write_all(os::open_file(file, O_WRONLY | O_TRUNC).get(), "spoilt");
  };
  spoil(good.initrd_path);
  EXPECT_EQ(kernels().find()->digest, good.digest) << "made again from its parts";
  EXPECT_NE(os::read_file(good.initrd_path), "spoilt");

  spoil(good.kernel_path);
  EXPECT_FALSE(kernels().find());
  EXPECT_EQ(kernels().pull()["status"], "repaired");
  EXPECT_EQ(kernels().find()->digest, good.digest);

  const auto module = std::filesystem::path(good.kernel_path).parent_path() / "modules/erofs.ko";
  os::remove_tree(module);
  EXPECT_EQ(kernels().pull()["status"], "repaired");
  EXPECT_TRUE(os::exists(module));

  spoil(std::filesystem::path(good.kernel_path).parent_path() / "manifest.json");
  EXPECT_FALSE(kernels().find());
  EXPECT_EQ(kernels().pull()["status"], "repaired");
  EXPECT_EQ(kernels().find()->digest, good.digest);
}

TEST_F(GuestKernelTest, AFailureLeavesNothingAndKeepsWhatWasThere) {
  m_failure = "no network";
  EXPECT_THROW(kernels().pull(), Error);
  EXPECT_EQ(os::list_directory(directory()), std::vector<std::string>{"lock"});
  m_failure.clear();
  const auto good = kernels().ensure();
  m_failure = "no network";
  EXPECT_THROW(kernels().pull(environment::Refresh::yes), Error);
  EXPECT_EQ(kernels().find()->digest, good.digest);
  os::make_directories(directory() + "/staging-of-somebody-killed/tree");
  EXPECT_EQ(kernels().pull()["status"], "present");
  EXPECT_EQ(os::list_directory(directory()).size(), 2U);
}

TEST_F(GuestKernelTest, OlderOnesGoAndTheLastWithTheLastEnvironment) {
  const auto old = kernels().ensure();
  m_version = "6.1.0-newer";
  EXPECT_EQ(kernels().pull(environment::Refresh::yes)["status"], "refreshed");
  const auto newest = kernels().find();
  EXPECT_EQ(newest->version, "6.1.0-newer");
  EXPECT_TRUE(os::exists(old.kernel_path));

  EXPECT_EQ(kernels().prune(DryRun::yes, GuestKernels::Keep::newest).size(), 1U);
  EXPECT_TRUE(os::exists(old.kernel_path));
  const auto removed = kernels().prune(DryRun::no, GuestKernels::Keep::newest);
  ASSERT_EQ(removed.size(), 1U);
  EXPECT_EQ(removed[0]["image"], "kernel 6.1.0-test");
  EXPECT_FALSE(os::exists(old.kernel_path));
  EXPECT_EQ(kernels().find()->digest, newest->digest);
  EXPECT_EQ(kernels().prune(DryRun::no, GuestKernels::Keep::none).size(), 1U);
  EXPECT_FALSE(kernels().find());
}

TEST_F(GuestKernelTest, WithoutAnAgentThereIsNoGuest) {
  kernels().ensure();
  os::remove_tree(path("pyro-agent"));
  try {
    std::ignore = kernels().find();
    FAIL() << "there is no agent";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unavailable);
    EXPECT_NE(std::string(error.what()).find("pyro-agent"), std::string::npos);
  }
}

/// As `pyro env pull debian:12` does it. Minutes and a network, so only with PYRO_TEST_NETWORK=1.
TEST_F(GuestKernelTest, NetworkFromPackages) {
  if (!std::getenv("PYRO_TEST_NETWORK")) {
    GTEST_SKIP() << "needs the network: set PYRO_TEST_NETWORK=1";
  }
  std::size_t lines = 0;
  GuestKernels real(
      path("pyro-agent"), [&](std::string_view kind, const std::string&) { lines += kind == "log"; },
      path("cache"));
  const auto pulled = real.pull();
  EXPECT_GT(lines, 5U);
  ASSERT_EQ(pulled["packages"].size(), 2U);
  EXPECT_TRUE(pulled["packages"][1]["name"].get<std::string>().starts_with("linux-image-6.1."));
  EXPECT_GT(pulled["packages"][1]["version"].get<std::string>().size(), 4U);
  const auto kernel = real.find();
  ASSERT_TRUE(kernel);
  EXPECT_TRUE(kernel->version.starts_with("6.1."));
#if defined(__x86_64__)
  EXPECT_EQ(os::read_file(kernel->kernel_path).substr(0x202, 4), "HdrS") << "a bzImage says so there";
#endif
  EXPECT_EQ(os::list_directory(directory()).size(), 2U);
}

} // namespace pyro::guest_images
