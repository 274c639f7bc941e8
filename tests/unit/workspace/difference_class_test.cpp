// What two builds made differently looks like.
#include <pyro/workspace/difference_class.hpp>

#include <gtest/gtest.h>

namespace pyro::workspace {
namespace {

constexpr BuildSpan k_span{1'796'000'000, 1'796'000'100};

std::string_view kind(std::string_view one, std::string_view other, bool network = false) {
  return name_of(class_of(one, other, k_span, network));
}

TEST(DifferenceClass, TimesInAnyUsualForm) {
  EXPECT_EQ(kind("built 2026-11-30T04:09:10Z on x", "built 2026-11-30T04:10:59Z on x"), "time");
  EXPECT_EQ(kind("Mon Nov  2 04:09:10 UTC 2026", "Mon Nov 30 23:59:59 UTC 2026"), "time");
  EXPECT_EQ(kind("date=20261130040910 x", "date=20261130041011 x"), "time");
  EXPECT_EQ(kind("{\"ms\": 1796000001123}", "{\"ms\": 1796000042000}"), "time");
  EXPECT_EQ(kind("at 1796000001.25", "at 1796000002"), "time");
  EXPECT_NE(kind("count 1234567890", "count 1234567999"), "time") << "no time of these builds";
  EXPECT_NE(kind("Monday", "Sunday"), "time");
  using namespace std::string_view_literals;
  EXPECT_EQ(kind("\x1f\x8b\x08\0\x01\xc9\x0c\x6b rest"sv, "\x1f\x8b\x08\0\x40\xc9\x0c\x6b rest"sv), "time")
      << "four bytes of a header";
}

TEST(DifferenceClass, TheSameInAnotherOrder) {
  EXPECT_EQ(kind("a\nb\nc\n", "c\na\nb\n"), "order");
  EXPECT_EQ(kind("{\"x\": 1, \"y\": 2}", "{\"y\": 2, \"x\": 1}"), "order");
  EXPECT_NE(kind("a\nb\n", "a\nc\n"), "order");
}

TEST(DifferenceClass, RandomNames) {
  EXPECT_EQ(
      kind("id 550e8400-e29b-41d4-a716-446655440000", "id 2f33d501-3505-446f-98dc-9b899acc9112"), "random");
  EXPECT_EQ(kind("/tmp/build-Xk3f9aQ2/x", "/tmp/build-pQ9z71bb/x"), "random");
  using namespace std::string_view_literals;
  EXPECT_EQ(
      kind(
          "\xff\x01\x02\x03\x04\x05\x06\x07\x08\x09\x10\x11\x12\x13\x14\x15"sv,
          "\xfe\x81\x92\xa3\xb4\xc5\xd6\xe7\xf8\x19\x20\x31\x42\x53\x64\x75"sv),
      "random");
}

TEST(DifferenceClass, WhatItIsNot) {
  EXPECT_EQ(kind("version 1.2", "version 1.10"), "other");
  EXPECT_EQ(kind("version 1.2", "version 1.10", true), "network");
}

} // namespace
} // namespace pyro::workspace
