// Quotas of projects, on the file system of the temporary directory. Where that has none, as on most
// machines, it must be told so, and why; tests/machines runs the whole of it in a guest, on one that has
// them.
#include <pyro/base/error.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/project_claims.hpp>
#include <pyro/os/quota_events.hpp>
#include <pyro/os/tree_walk.hpp>

#include <gtest/gtest.h>
#include <linux/quota.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <unistd.h>
#include <vector>

namespace pyro::os {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t k_mib = 1 << 20;

/// Set where the file system is there for this test alone, and has quotas.
bool quota_is_required() {
  return std::getenv("PYRO_TEST_PROJECT_QUOTA") != nullptr;
}

/// Projects of our range that have limits, as the kernel lists them.
std::vector<ProjectId> limited_projects(int directory) {
  std::vector<ProjectId> found;
  if_nextdqblk block{};
  for (ProjectId next = k_first_project;
       ::syscall(SYS_quotactl_fd, directory, QCMD(Q_GETNEXTQUOTA, PRJQUOTA), next, &block) == 0
       && block.dqb_id <= k_last_project;
       next = block.dqb_id + 1) {
    if (block.dqb_bhardlimit != 0 || block.dqb_ihardlimit != 0) {
      found.push_back(block.dqb_id);
    }
  }
  return found;
}

class ProjectQuotaTest : public ::testing::Test {
protected:
  ProjectQuotaTest()
      : m_area(fs::temp_directory_path().string(), "pyro-quota"), m_open(open_directory(m_area.path())),
        m_reason(why_no_project_quota(area())) {}

  void SetUp() override {
    if (m_reason.empty()) {
      m_before = limited_projects(area());
      EXPECT_TRUE(m_before.empty() || !quota_is_required()) << "left by others: " << m_before.front();
      return;
    }
    ASSERT_FALSE(quota_is_required()) << m_reason;
    expect_nothing_can_be_held();
    GTEST_SKIP() << "the temporary directory: " << m_reason;
  }

  void TearDown() override {
    if (m_reason.empty()) {
      fs::remove_all(path("held"));
      fs::remove_all(path("other"));
      claims().sweep();
      EXPECT_EQ(notes(), 0U) << "a limit is left";
      EXPECT_TRUE(!quota_is_required() || limited_projects(area()) == m_before);
    }
  }

  /// Whoever says "not available" must be right.
  void expect_nothing_can_be_held() {
    EXPECT_GT(m_reason.size(), 20U) << "why? " << m_reason;
    EXPECT_THROW(set_project_limits(area(), k_first_project, {k_mib, 0}), Error) << m_reason;
  }

  std::string path(const std::string& name) const { return m_area.path() + "/" + name; }

  int area() const { return m_open.get(); }

  ProjectClaims claims() const { return ProjectClaims(path("notes")); }

  std::size_t notes() const { return exists(path("notes")) ? list_directory(path("notes")).size() : 0; }

  ProjectId hold(const std::string& name, const ProjectLimits& limits) const {
    make_directories(path(name));
    const auto project = claims().hold(open_directory(path(name)).get(), limits);
    EXPECT_TRUE(project.has_value());
    return project.value_or(0);
  }

  /// In a child that has no power over quotas, as nobody in a sandbox has: its errno, 0 where it went well.
  static int without_powers(const std::function<bool()>& work) {
    const pid_t child = ::fork();
    if (child == 0) {
      if (::setgid(65534) != 0 || ::setuid(65534) != 0) {
        ::_exit(255);
      }
      errno = 0;
      ::_exit(work() ? 0 : errno);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  static bool write_bytes(const std::string& file, std::uint64_t bytes) {
    const Fd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    const std::string block(64 << 10, 'x');
    for (std::uint64_t done = 0; fd && done < bytes; done += block.size()) {
      if (::write(fd.get(), block.data(), block.size()) != static_cast<ssize_t>(block.size())) {
        if (errno == 0) { // a short write: the next one tells why
          std::ignore = ::write(fd.get(), block.data(), block.size());
        }
        return false;
      }
    }
    return fd.valid();
  }

  /// A directory that is held, and open to the child without powers.
  ProjectId hold_openly(const std::string& name, const ProjectLimits& limits) const {
    const auto project = hold(name, limits);
    fs::permissions(m_area.path(), fs::perms::all);
    fs::permissions(path(name), fs::perms::all);
    return project;
  }

private:
  TempDir m_area;
  Fd m_open;
  std::string m_reason;
  std::vector<ProjectId> m_before;
};

/// In a container, say, whose filter refuses the question: that is a reason, and nothing to stop at.
TEST(ProjectQuota, WhereNobodyMayAskThereIsNone) {
  EXPECT_TRUE(why_no_project_quota(-1).find("Bad file descriptor") != std::string::npos)
      << why_no_project_quota(-1);
}

TEST_F(ProjectQuotaTest, WritersAreRefusedAtTheLimitExactly) {
  const auto project = hold_openly("held", {4 * k_mib, 0});
  EXPECT_EQ(without_powers([&] { return write_bytes(path("held/small"), 2 * k_mib); }), 0);
  EXPECT_EQ(without_powers([&] { return write_bytes(path("held/large"), 4 * k_mib); }), EDQUOT);
  const auto use = use_of_project(area(), project);
  EXPECT_LE(use.bytes, 4 * k_mib);
  EXPECT_GT(use.bytes, 4 * k_mib - 128 * 1024);
  EXPECT_EQ(use.limits.bytes, 4 * k_mib);
  fs::remove(path("held/small"));
  EXPECT_EQ(without_powers([&] { return write_bytes(path("held/more"), k_mib); }), 0)
      << "what is freed is free";
}

TEST_F(ProjectQuotaTest, HolesAreFreeAndDirectoriesBelowAreHeldToo) {
  hold_openly("held", {2 * k_mib, 0});
  EXPECT_EQ(
      without_powers([&] {
        return write_bytes(path("held/sparse"), 64 << 10)
               && ::truncate(path("held/sparse").c_str(), 1L << 33) == 0;
      }),
      0);
  EXPECT_EQ(
      without_powers([&] {
        return ::mkdir(path("held/a").c_str(), 0700) == 0 && ::mkdir(path("held/a/b").c_str(), 0700) == 0
               && write_bytes(path("held/a/b/large"), 4 * k_mib);
      }),
      EDQUOT);
}

TEST_F(ProjectQuotaTest, EntriesAreLimitedAsWell) {
  const auto project = hold_openly("held", {64 * k_mib, 20});
  EXPECT_EQ(
      without_powers([&] {
        for (int i = 0; i < 100; ++i) {
          const auto file = path("held/" + std::to_string(i));
          if (!Fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600))) {
            return false;
          }
        }
        return true;
      }),
      EDQUOT);
  EXPECT_EQ(use_of_project(area(), project).entries, 20U);
}

TEST_F(ProjectQuotaTest, TheKernelTellsWhenItRefuses) {
  auto events = QuotaEvents::listen();
  ASSERT_TRUE(events.has_value());
  const auto project = hold_openly("held", {k_mib, 0});
  const auto other = hold_openly("other", {k_mib, 0});

  struct stat status {};

  ASSERT_EQ(::stat(path("held").c_str(), &status), 0);
  EXPECT_FALSE(events->take(status.st_dev, project).bytes);
  EXPECT_EQ(
      without_powers([&] {
        const bool fits = write_bytes(path("held/large"), 4 * k_mib);
        const int reason = errno;
        ::unlink(path("held/large").c_str()); // so that nothing shows afterwards
        errno = reason;
        return fits;
      }),
      EDQUOT);
  const auto refusals = events->take(status.st_dev, project);
  EXPECT_TRUE(refusals.bytes);
  EXPECT_FALSE(refusals.entries);
  EXPECT_FALSE(events->take(status.st_dev, other).bytes);
}

TEST_F(ProjectQuotaTest, FilesOfOneProjectMoveWithinItAndLeaveItWithItsId) {
  const auto project = hold("held", {16 * k_mib, 0});
  make_directories(path("held/upper"));
  make_directories(path("held/work"));
  ASSERT_TRUE(write_bytes(path("held/work/new"), k_mib));
  EXPECT_EQ(::rename(path("held/work/new").c_str(), path("held/upper/new").c_str()), 0)
      << "as overlayfs does";
  ASSERT_TRUE(write_bytes(path("outside"), 4096));
  EXPECT_EQ(::link(path("outside").c_str(), path("held/upper/linked").c_str()), -1);
  EXPECT_EQ(errno, EXDEV);
  ASSERT_EQ(::rename(path("held/upper/new").c_str(), path("kept").c_str()), 0);
  EXPECT_GE(use_of_project(area(), project).bytes, k_mib) << "which is why layers are not moved out";
  fs::remove(path("kept"));
}

TEST_F(ProjectQuotaTest, EachHasItsOwnAndKeepsItWhenHeldAnew) {
  const auto one = hold("held", {k_mib, 0});
  const auto two = hold("other", {k_mib, 0});
  EXPECT_NE(one, two);
  for (const auto project : {one, two}) {
    EXPECT_GE(project, k_first_project);
    EXPECT_LE(project, k_last_project);
  }
  ASSERT_TRUE(write_bytes(path("held/file"), 4096));
  EXPECT_EQ(hold("held", {8 * k_mib, 100}), one);
  EXPECT_EQ(use_of_project(area(), one).limits.bytes, 8 * k_mib);
  EXPECT_EQ(use_of_project(area(), one).limits.entries, 100U);
}

TEST_F(ProjectQuotaTest, WhatHasContentOrAnotherProjectIsNotOursToHold) {
  make_directories(path("other/content"));
  EXPECT_EQ(claims().hold(open_directory(path("other")).get(), {k_mib, 0}), std::nullopt);
  make_directories(path("held"));
  set_project(open_directory(path("held")).get(), 4711); // an administrator's
  EXPECT_EQ(claims().hold(open_directory(path("held")).get(), {k_mib, 0}), std::nullopt);
  EXPECT_EQ(project_of(open_directory(path("held")).get()), 4711U);
}

TEST_F(ProjectQuotaTest, LimitsGoWithTheFilesAndNoSooner) {
  const auto project = hold("held", {k_mib, 0});
  claims().sweep();
  EXPECT_EQ(use_of_project(area(), project).limits.bytes, k_mib) << "an empty directory is held as well";
  fs::remove_all(path("held"));
  EXPECT_EQ(use_of_project(area(), project).limits.bytes, k_mib);
  const auto next = hold("other", {k_mib, 0}); // the next start cleans up after a killed removal
  EXPECT_TRUE(use_of_project(area(), project).is_unknown());
  EXPECT_EQ(list_directory(path("notes")), std::vector<std::string>{std::to_string(next)});
}

TEST_F(ProjectQuotaTest, LimitsOfOthersAreLeftAlone) {
  constexpr ProjectId k_in_our_range = k_first_project + 12345;
  set_project_limits(area(), k_in_our_range, {k_mib, 7});
  hold("held", {k_mib, 0});
  claims().sweep();
  EXPECT_EQ(use_of_project(area(), k_in_our_range).limits.entries, 7U);
  set_project_limits(area(), k_in_our_range, {});
}

} // namespace
} // namespace pyro::os
