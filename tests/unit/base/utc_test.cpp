#include <pyro/base/utc.hpp>

#include <gtest/gtest.h>

namespace pyro {
namespace {

TEST(Utc, IsIso8601) {
  const std::chrono::system_clock::time_point time(std::chrono::milliseconds(1'795'962'705'045));
  EXPECT_EQ(format_utc(time), "2026-11-29T14:31:45Z");
  EXPECT_EQ(format_utc(time, Subseconds::milliseconds), "2026-11-29T14:31:45.045Z");
}

} // namespace
} // namespace pyro
