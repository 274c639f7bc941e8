#include <pyro/base/error.hpp>
#include <pyro/base/interruption.hpp>
#include <pyro/os/file_lock.hpp>
#include <pyro/os/process.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <unistd.h>

namespace pyro {

namespace {

ErrorCode code_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::internal;
}

} // namespace

TEST(Interruption, IsGrantedOncePerScope) {
  EXPECT_NO_THROW(check_interruption()) << "no scope";
  const InterruptionScope scope([] { return true; });
  EXPECT_EQ(code_of([] { check_interruption(); }), ErrorCode::interrupted);
  EXPECT_NO_THROW(check_interruption()) << "cleaning up goes on";
  {
    const InterruptionScope inner([] { return false; });
    EXPECT_NO_THROW(check_interruption());
  }
  EXPECT_FALSE(interruption_wanted());
}

TEST(Interruption, EndsAProgramThatRunsForLong) {
  int asked = 0;
  const InterruptionScope scope([&] { return ++asked > 3; });
  EXPECT_EQ(code_of([] { os::run_checked({.argv = {"sleep", "infinity"}}); }), ErrorCode::interrupted);
}

TEST(Interruption, EndsWaitingForALock) {
  const auto path = std::filesystem::temp_directory_path() / fmt::format("pyro-lock-{}", getpid());
  const os::ExclusiveLock held(path.string(), "a test", std::chrono::seconds(1));
  const InterruptionScope scope([] { return true; });
  EXPECT_EQ(
      code_of([&] { os::ExclusiveLock(path.string(), "another", std::chrono::seconds(30)); }),
      ErrorCode::interrupted);
  std::filesystem::remove(path);
}

} // namespace pyro
