// Lines that are no ordinary ones: with NUL bytes, without an end, longer than what is kept.
#include "../support/home.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pyro::testing {
namespace {

class LogLines : public Functional {
protected:
  void declare(const std::string& script, const std::string& readiness) {
    spec(fmt::format(
        R"(
services:
  web:
    command: |
      {}
      exec sleep 1000
    readiness: {{{}, deadline: 20s}}
)",
        script, readiness));
  }
};

TEST_F(LogLines, APatternIsFoundBehindANulByte) {
  declare(R"(printf 'port\0 8080 is open\n')", R"(log: "/[0-9]+ is open$/")");
  expect(0, {"apply"});
}

TEST_F(LogLines, ALongLineIsOneLine) {
  declare(
      "head -c 8190 /dev/zero | tr '\\0' x; echo READY; head -c 100000 /dev/zero | tr '\\0' y; echo",
      "log: xREADY");
  expect(0, {"apply"});
  const auto all = std::string(8190, 'x') + "READY\n" + std::string(100000, 'y') + "\n";
  EXPECT_TRUE(eventually([&] {
    return expect(0, {"logs", "web"}).out == all;
  })) << "it is ready in the middle";
}

TEST_F(LogLines, OfALineLongerThanWhatIsKeptEverythingIsLookedAt) {
  const std::string much = "head -c 600000 /dev/zero | tr '\\0' x; ";
  declare(much + "printf READY; " + much + "echo; echo done", "log: xREADYx");
  expect(0, {"apply"});
  const auto log = expect(0, {"logs", "web"});
  EXPECT_EQ(std::count(log.out.begin(), log.out.end(), '\n'), 2) << log.out.size();
  EXPECT_NE(log.out.find("x [… "), std::string::npos);
  EXPECT_NE(log.out.find(" bytes left out …] x"), std::string::npos);
  EXPECT_LT(log.out.size(), 300'000U);
}

TEST_F(LogLines, WhatHasNoNewlineYetIsShown) {
  declare("echo first; printf 'password: '", "log: 'password: '");
  expect(0, {"apply"});
  EXPECT_EQ(expect(0, {"logs", "web"}).out, "first\npassword: \n");
  expect(0, {"stop"});
  EXPECT_EQ(expect(0, {"logs", "web"}).out, "first\npassword: \n");
}

} // namespace
} // namespace pyro::testing
