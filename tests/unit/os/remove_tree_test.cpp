// Trees that a hostile sandbox leaves behind are removed as well.
#include <pyro/base/error.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <unistd.h>

namespace pyro::os {
namespace {

class RemoveTree : public ::testing::Test {
protected:
  void SetUp() override {
    ASSERT_NE(::mkdtemp(m_pattern.data()), nullptr);
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &m_limit), 0);
  }

  void TearDown() override {
    ::setrlimit(RLIMIT_NOFILE, &m_limit);
    remove_tree(m_pattern);
  }

  void limit_descriptors(rlim_t most) {
    auto lower = m_limit;
    lower.rlim_cur = most;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &lower), 0);
  }

  /// `depth` directories one in another, each with a file beside the next.
  void make_deep(const std::string& path, int depth, mode_t mode) {
    ASSERT_EQ(::mkdir(path.c_str(), 0700), 0);
    Fd at(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const std::string name(60, 'd'); // together far longer than PATH_MAX
    for (int level = 0; level < depth; ++level) {
      const Fd file(::openat(at.get(), "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0400));
      ASSERT_EQ(::mkdirat(at.get(), name.c_str(), 0700), 0);
      Fd below(::openat(at.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      ASSERT_TRUE(below) << level;
      ASSERT_EQ(::fchmod(at.get(), mode), 0);
      at = std::move(below);
    }
  }

  const std::string& root() const { return m_pattern; }

private:
  std::string m_pattern = ::testing::TempDir() + "pyro-remove-XXXXXX";
  rlimit m_limit{};
};

TEST_F(RemoveTree, FiveThousandLevelsDeepWithFewDescriptors) {
  make_deep(root() + "/deep", 5000, 0700);
  limit_descriptors(64);
  remove_tree(root() + "/deep");
  EXPECT_FALSE(exists(root() + "/deep"));
}

TEST_F(RemoveTree, DirectoriesWithoutPermissions) {
  make_deep(root() + "/closed", 100, 0);
  remove_tree(root() + "/closed");
  EXPECT_FALSE(exists(root() + "/closed"));
}

TEST_F(RemoveTree, FollowsNoSymlink) {
  ASSERT_EQ(::mkdir((root() + "/kept").c_str(), 0700), 0);
  ASSERT_EQ(::mkdir((root() + "/gone").c_str(), 0700), 0);
  ASSERT_EQ(::symlink("../kept", (root() + "/gone/link").c_str()), 0);
  remove_tree(root() + "/gone");
  EXPECT_FALSE(exists(root() + "/gone"));
  EXPECT_TRUE(exists(root() + "/kept"));
  ASSERT_EQ(::symlink("kept", (root() + "/link").c_str()), 0);
  remove_tree(root() + "/link");
  EXPECT_FALSE(exists(root() + "/link"));
  EXPECT_TRUE(exists(root() + "/kept"));
}

/// The last name may be a symlink, which goes alone; what lies behind one is not ours.
TEST_F(RemoveTree, NothingBehindASymlinkIsListedOrRemoved) {
  make_directories(root() + "/elsewhere/inner/deep");
  ASSERT_EQ(::symlink((root() + "/elsewhere").c_str(), (root() + "/link").c_str()), 0);
  for (const char* way : {"/link/inner", "/link/inner/deep", "/link/not-there"}) {
    EXPECT_THROW(remove_tree(root() + way), Error) << way;
  }
  for (const char* way : {"/link", "/link/inner", "/link/"}) {
    try {
      list_directory(root() + way);
      ADD_FAILURE() << way;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::permission) << error.what();
    }
    EXPECT_FALSE(list_any_directory(root() + way).empty()) << way;
  }
  EXPECT_TRUE(exists(root() + "/elsewhere/inner/deep"));
  EXPECT_TRUE(list_directory(root() + "/nothing").empty());
  EXPECT_EQ(list_directory(root() + "/elsewhere/inner"), std::vector<std::string>{"deep"});
  remove_tree(root() + "/link");
  EXPECT_FALSE(exists(root() + "/link"));
  EXPECT_TRUE(exists(root() + "/elsewhere/inner/deep"));
}

} // namespace
} // namespace pyro::os
