#include <pyro/base/error.hpp>
#include <pyro/base/units.hpp>

#include <gtest/gtest.h>

namespace pyro {
namespace {

using std::chrono::milliseconds;

TEST(Units, DurationsAreReadAndWrittenBack) {
  for (const auto* text : {"500ms", "30s", "10m", "8h", "7d"}) {
    EXPECT_EQ(format_duration(parse_duration(text)), text);
  }
  EXPECT_EQ(parse_duration("90s"), milliseconds(90'000));
}

TEST(Units, WhatIsNoDurationIsNamed) {
  for (const auto* text : {"", "10", "s", "-1s", "1.5h", "10 s", "1w", "99999999999999999999d"}) {
    EXPECT_THROW(parse_duration(text), Error) << text;
  }
}

TEST(Units, ADurationBeyondTheClockIsNamed) {
  EXPECT_EQ(parse_duration("36500d").count(), 36'500LL * 86'400'000);
  for (const auto* text : {"36501d", "99999999999d", "9223372036854775807ms"}) {
    try {
      parse_duration(text);
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_NE(error.message().find("beyond the range of the clock"), std::string::npos) << error.what();
    }
  }
}

TEST(Units, SizesNeedAnUnambiguousUnit) {
  EXPECT_EQ(parse_size("512MiB"), 512ULL << 20);
  EXPECT_EQ(parse_size("2GiB"), 2ULL << 30);
  for (const auto* text : {"2G", "2GB"}) {
    try {
      parse_size(text);
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.hint(), "write 2GiB");
    }
  }
  EXPECT_THROW(parse_size("99999999999TiB"), Error);
}

} // namespace
} // namespace pyro
