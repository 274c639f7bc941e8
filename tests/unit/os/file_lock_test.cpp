#include <pyro/base/error.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/file_lock.hpp>

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>
#include <filesystem>
#include <unistd.h>

namespace pyro::os {
namespace {

using std::chrono::milliseconds;

class FileLock : public ::testing::Test {
protected:
  std::string path() const { return m_directory.path() + "/lock"; }

  /// What somebody who wants it exclusively is told; empty: it is free.
  std::string refusal() {
    try {
      const ExclusiveLock lock(path(), "wanting it", milliseconds(0));
      return {};
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::locked);
      return error.message();
    }
  }

private:
  TempDir m_directory{std::filesystem::temp_directory_path().string(), "pyro-lock"};
};

TEST_F(FileLock, TellsWhoHoldsIt) {
  const auto name = fmt::format("pid {}", ::getpid());
  {
    const ExclusiveLock lock(path(), "reset", milliseconds(0));
    EXPECT_NE(refusal().find("reset (" + name), std::string::npos) << refusal();
  }
  EXPECT_EQ(refusal(), "");
  const SharedLock shared(path(), milliseconds(0), "apply");
  EXPECT_NE(refusal().find("apply (" + name), std::string::npos) << refusal();
}

/// Shared ones are held by several: when the one that is known lets go, nobody wrong is named.
TEST_F(FileLock, NamesNobodyWhoHasLetGo) {
  const SharedLock stays(path(), milliseconds(0), "first");
  { const SharedLock goes(path(), milliseconds(0), "second"); }
  EXPECT_EQ(refusal(), "the lock is held by another process");
}

TEST_F(FileLock, NamesNobodyWhoIsDead) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    const ExclusiveLock lock(path(), "killed", milliseconds(0));
    ::kill(::getpid(), SIGKILL);
  }
  ASSERT_EQ(::waitpid(pid, nullptr, 0), pid);
  EXPECT_FALSE(lock_holder(path()));
  const auto shared = std::optional<SharedLock>(std::in_place, path(), milliseconds(0), "now");
  EXPECT_EQ(refusal().find("killed"), std::string::npos) << refusal();
}

/// A child that inherited it neither frees it nor takes the note away.
TEST_F(FileLock, BelongsToWhoTookIt) {
  std::optional<ExclusiveLock> lock(std::in_place, path(), "parent", milliseconds(0));
  const pid_t pid = ::fork();
  if (pid == 0) {
    lock.reset();
    ::_exit(0);
  }
  ASSERT_EQ(::waitpid(pid, nullptr, 0), pid);
  EXPECT_NE(refusal().find("parent"), std::string::npos) << refusal();
}

} // namespace
} // namespace pyro::os
