// What doctor makes of a machine's files, where user namespaces could or could not be made.
#include <pyro/backend/namespaces/restrictions.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace pyro::backend::namespaces {
namespace {

namespace fs = std::filesystem;

class Restrictions : public ::testing::Test {
protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "pyro-test-XXXXXX").string();
    m_root = ::mkdtemp(pattern.data());
    sysctl("user/max_user_namespaces", "96364");
  }

  void TearDown() override { fs::remove_all(m_root); }

  void file(const std::string& path, const std::string& text) {
    fs::create_directories(fs::path(m_root + path).parent_path());
    std::ofstream(m_root + path) << text;
  }

  void sysctl(const std::string& name, const std::string& value) { file("/proc/sys/" + name, value + "\n"); }

  Check check(const std::string& name, const Tried& tried) {
    for (auto& one : restriction_checks(tried, m_root)) {
      if (one.name == name) {
        return one;
      }
    }
    ADD_FAILURE() << name;
    return {};
  }

  void expect_alone(const std::string& name, const std::string& remedy, const Tried& tried) {
    for (const auto& one : restriction_checks(tried, m_root)) {
      if (one.name == name) {
        EXPECT_EQ(one.level, "error") << one.text;
        EXPECT_NE(one.hint.find(remedy), std::string::npos) << one.hint;
      } else {
        EXPECT_NE(one.level, "error") << one.name << ": " << one.text;
      }
    }
  }

  const Tried m_works{};
  const Tried m_refused{.user_namespace = "unshare: Operation not permitted"};
  std::string m_root;
};

TEST_F(Restrictions, AppArmorIsNamedWhereItKeepsPyroFromIt) {
  sysctl("kernel/apparmor_restrict_unprivileged_userns", "1");
  expect_alone("apparmor", "apparmor_parser -r /etc/apparmor.d/pyro", m_refused);
  EXPECT_EQ(check("apparmor", m_works).level, "ok") << "pyro's profile lets it";
  sysctl("kernel/apparmor_restrict_unprivileged_userns", "0");
  EXPECT_EQ(check("apparmor", m_refused).level, "ok");
}

TEST_F(Restrictions, ASysctlIsNamedWithItsCommand) {
  sysctl("kernel/unprivileged_userns_clone", "0");
  expect_alone("userns-clone", "sysctl -w kernel.unprivileged_userns_clone=1", m_refused);
  EXPECT_EQ(check("userns-clone", m_works).level, "ok") << "as root";
}

TEST_F(Restrictions, NoneAllowedAndNoneLeftAreTwoThings) {
  sysctl("user/max_user_namespaces", "0");
  expect_alone("max-user-namespaces", "sysctl -w user.max_user_namespaces=15000", m_refused);
  sysctl("user/max_user_namespaces", "100");
  expect_alone(
      "max-user-namespaces", "sysctl -w user.max_user_namespaces=60000",
      {.user_namespace = "unshare: No space left on device"});
}

TEST_F(Restrictions, AWorkspaceOfPyroIsCalledByItsName) {
  sysctl("user/max_user_namespaces", "0");
  file("/run/pyro/hosts", "");
  file("/proc/self/status", "Name:\tpyro\nSeccomp:\t2\nSeccomp_filters:\t1\n");
  expect_alone("max-user-namespaces", "isolation: vm", m_refused);
}

TEST_F(Restrictions, AFilterIsNamedWhereNothingElseIs) {
  file("/proc/self/status", "Name:\tpyro\nSeccomp:\t2\nSeccomp_filters:\t1\n");
  expect_alone("seccomp", "--security-opt seccomp=unconfined", m_refused);
  EXPECT_EQ(check("seccomp", m_works).level, "ok");
  EXPECT_EQ(check("seccomp", {.hostname = "sethostname: Operation not permitted"}).level, "note");
}

TEST_F(Restrictions, WhatCoversProcIsNamed) {
  file(
      "/proc/self/mountinfo", "100 90 0:50 / /proc rw - proc proc rw\n"
                              "101 100 0:51 / /proc/acpi ro - tmpfs tmpfs ro\n"
                              "102 100 0:52 /null /proc/keys rw - devtmpfs devtmpfs rw\n");
  const Tried covered{.proc = "fsmount: Operation not permitted"};
  expect_alone("proc", "podman run --security-opt unmask=/proc/*", covered);
  EXPECT_NE(check("proc", covered).text.find("/proc/acpi, /proc/keys"), std::string::npos);
  EXPECT_EQ(check("proc", m_refused).level, "note");
}

TEST_F(Restrictions, TheTunDeviceIsMissingOrClosed) {
  EXPECT_NE(check("tun", m_works).hint.find("--device /dev/net/tun"), std::string::npos);
  file("/dev/net/tun", "");
  EXPECT_EQ(check("tun", m_works).level, "ok");
}

TEST_F(Restrictions, LimitsHaveTheRemedyOfTheirPlace) {
  EXPECT_NE(remedy_of_limits(Root::no, m_root).find("Delegate=yes"), std::string::npos);
  EXPECT_NE(remedy_of_limits(Root::yes, m_root).find("unified_cgroup_hierarchy"), std::string::npos);
  file("/sys/fs/cgroup/cgroup.controllers", "cpu memory pids\n");
  EXPECT_NE(remedy_of_limits(Root::yes, m_root).find("/sys/fs/cgroup/init/cgroup.procs"), std::string::npos);
  file("/proc/self/mountinfo", "100 90 0:50 / /sys/fs/cgroup ro,nosuid - cgroup2 cgroup2 rw\n");
  EXPECT_NE(remedy_of_limits(Root::yes, m_root).find("unmask=/sys/fs/cgroup"), std::string::npos);
}

} // namespace
} // namespace pyro::backend::namespaces
