#include <pyro/base/interruption.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/side_work.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <thread>
#include <unistd.h>

namespace pyro::os {
namespace {

void wait_for(const std::string& file) {
  while (!std::filesystem::exists(file)) {
    check_interruption();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

void make(const std::string& file) {
  const auto made = open_file(file, O_WRONLY | O_CREAT, 0600);
}

TEST(SideWork, RunsBesideAndTells) {
  const TempDir directory("/tmp", "side-work-");
  std::vector<int> heard;
  SideWork work(
      [&](const SideWork::Tell& tell) {
        make(directory.path() + "/its");
        wait_for(directory.path() + "/ours");
        for (int number = 0; number < 20'000; ++number) {
          tell(number); // more than a pipe holds, and nobody listens yet
        }
        return nlohmann::json{{"pid", ::getpid()}};
      },
      [&](const nlohmann::json& news) { heard.push_back(news.get<int>()); });
  wait_for(directory.path() + "/its");
  make(directory.path() + "/ours");
  EXPECT_NE(work.wait([] {})["pid"], ::getpid());
  ASSERT_EQ(heard.size(), 20'000U);
  EXPECT_EQ(heard.back(), 19'999);
}

TEST(SideWork, ItsErrorIsOurs) {
  SideWork work(
      [](const SideWork::Tell&) -> nlohmann::json {
        throw Error(ErrorCode::disk_full, "no room").with_hint("make some");
      },
      [](const nlohmann::json&) {});
  try {
    work.wait([] {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::disk_full);
    EXPECT_EQ(error.hint(), "make some");
  }
}

TEST(SideWork, ThatItDiedIsTold) {
  SideWork work(
      [](const SideWork::Tell&) -> nlohmann::json {
        ::kill(::getpid(), SIGKILL);
        return nullptr;
      },
      [](const nlohmann::json&) {});
  EXPECT_THROW(work.wait([] {}), Error);
}

TEST(SideWork, WhoDoesNotWaitEndsIt) {
  const TempDir directory("/tmp", "side-work-");
  {
    const SideWork work(
        [&](const SideWork::Tell&) -> nlohmann::json {
          make(directory.path() + "/its");
          try {
            wait_for(directory.path() + "/never");
          } catch (const Error&) {
            make(directory.path() + "/cleaned-up");
          }
          return nullptr;
        },
        [](const nlohmann::json&) {});
    wait_for(directory.path() + "/its");
  }
  EXPECT_TRUE(std::filesystem::exists(directory.path() + "/cleaned-up"));
}

} // namespace
} // namespace pyro::os
