#include <pyro/base/interruption.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/workers.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <set>
#include <thread>
#include <unistd.h>

namespace pyro::os {
namespace {

TEST(Workers, DoEveryPieceOnceInChildren) {
  const auto done = work_in_children(50, 4, [](std::size_t index) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2)); // so that nobody takes them all
    return nlohmann::json{{"index", index}, {"pid", ::getpid()}};
  });
  ASSERT_EQ(done.size(), 50U);
  std::set<int> pids;
  for (std::size_t index = 0; index < done.size(); ++index) {
    ASSERT_FALSE(done[index].error) << done[index].error->what();
    EXPECT_EQ(done[index].result["index"], index);
    pids.insert(done[index].result["pid"].get<int>());
  }
  EXPECT_EQ(pids.size(), 4U);
  EXPECT_FALSE(pids.contains(::getpid()));
}

TEST(Workers, OneAtATimeNeedsNoChild) {
  int here = 0;
  const auto done = work_in_children(3, 1, [&](std::size_t) { return nlohmann::json(++here); });
  EXPECT_EQ(here, 3);
  EXPECT_EQ(done[2].result, 3);
}

TEST(Workers, ErrorsAndDeathsAreOfOnePieceEach) {
  const auto done = work_in_children(8, 2, [](std::size_t index) -> nlohmann::json {
    if (index == 3) {
      throw Error(ErrorCode::disk_full, "no room for {}", index).with_hint("make some");
    }
    if (index == 5) {
      ::kill(::getpid(), SIGKILL);
    }
    return "fine";
  });
  for (std::size_t index = 0; index < done.size(); ++index) {
    EXPECT_EQ(done[index].error.has_value(), index == 3 || index == 5) << index;
  }
  EXPECT_EQ(done[3].error->code(), ErrorCode::disk_full);
  EXPECT_EQ(done[3].error->hint(), "make some");
  EXPECT_NE(std::string(done[5].error->what()).find("died"), std::string::npos);
}

TEST(Workers, WhoAsksToStopGetsWhatWasDone) {
  const TempDir area(std::filesystem::temp_directory_path().string(), "pyro-workers");
  const auto first = area.path() + "/first"; // is done, from here on we ask them to stop
  const InterruptionScope scope([&] { return ::access(first.c_str(), F_OK) == 0; });
  const auto done = work_in_children(200, 2, [&](std::size_t index) {
    if (index == 0) {
      write_all(open_file(first, O_WRONLY | O_CREAT).get(), "");
    } else {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return nlohmann::json("done");
  });
  EXPECT_FALSE(done.front().error);
  ASSERT_TRUE(done.back().error);
  EXPECT_EQ(done.back().error->code(), ErrorCode::interrupted);
}

} // namespace
} // namespace pyro::os
