// Who writes after the command that started it: what is in flight arrives, and whoever stays in the
// background may go on writing.
#include "../support/home.hpp"

#include <fmt/format.h>

#include <thread>

namespace pyro::testing {
namespace {

class BackgroundOutput : public Functional {
protected:
  /// Writes for a second, then says in a file that it came to its end.
  static std::string writer(const std::string& mark) {
    return fmt::format(
        "i=0; while [ $i -lt 20 ]; do echo line $i; echo line $i >&2; i=$((i+1)); sleep 0.05; done; echo "
        "whole > {}",
        mark);
  }

  bool comes_to_its_end(const std::string& mark) {
    for (int i = 0; i < 100; ++i) {
      if (inside("cat " + mark + " 2>/dev/null").out == "whole\n") {
        return true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return false;
  }
};

TEST_F(BackgroundOutput, OfACommandDoesNotEndItsWriter) {
  spec();
  expect(0, {"apply"});
  const auto begun = inside("sh -c '" + writer("/var/tmp/mark") + "; sleep 1000' & echo begun");
  EXPECT_EQ(begun.status, 0);
  EXPECT_TRUE(contains(begun.out, "begun\n")) << begun; // the writer may be first
  EXPECT_TRUE(comes_to_its_end("/var/tmp/mark"));
}

TEST_F(BackgroundOutput, AServerInTheBackgroundAnswersAfterItsCommand) {
  if (command({"sh", "-c", "command -v python3 && command -v curl"}).status != 0) {
    GTEST_SKIP() << "needs python3 and curl";
  }
  spec();
  expect(0, {"apply"});
  EXPECT_EQ(inside("echo served > page; python3 -m http.server 8123 &").status, 0);
  const auto page = inside("curl -s --retry 20 --retry-connrefused --retry-delay 1 127.0.0.1:8123/page");
  EXPECT_EQ(page.out, "served\n") << page;
  EXPECT_EQ(inside("curl -s 127.0.0.1:8123/page").out, "served\n");
}

TEST_F(BackgroundOutput, AFilterOfTheCommandIsHeardToTheEnd) {
  if (command({"bash", "-c", "true"}).status != 0) {
    GTEST_SKIP() << "needs bash";
  }
  spec();
  expect(0, {"apply"});
  std::string all;
  for (int i = 1; i <= 40; ++i) {
    all += fmt::format("{}\n", i);
  }
  const std::string slow = "while read l; do echo \"$l\"; sleep .03; done";
  const auto loop = "for i in $(seq 40); do echo $i; done";
  const auto one = expect(0, {"exec", "--", "bash", "-c", "exec > >(" + slow + "); " + loop});
  EXPECT_EQ(one.out, all);
  const auto two = expect(
      0, {"exec", "--", "bash", "-c",
          "exec > >(sed s/^/1/ | (" + slow + ") | sed s/^1//); " + std::string(loop)});
  EXPECT_EQ(two.out, all) << "a chain of them";
  const auto beside = expect(0, {"exec", "--", "bash", "-c", "sleep 1000 & exec > >(" + slow + "); " + loop});
  EXPECT_EQ(beside.out, all) << "while somebody else keeps the output open";
  // Its filter has still something to come, for ever.
  expect(0, {"exec", "--", "bash", "-c", "(while sleep 1; do echo; done) > >(cat) & echo begun"});
}

TEST_F(BackgroundOutput, OfAStepIsHeardToTheEnd) {
  if (command({"bash", "-c", "true"}).status != 0) {
    GTEST_SKIP() << "needs bash";
  }
  spec(R"(
prepare:
  - run: |
      bash -c 'exec > >(while read l; do sleep .2; echo "$l" | tee -a /var/tmp/heard; done); echo one; echo two; echo three'
)");
  expect(0, {"apply"});
  EXPECT_EQ(inside("cat /var/tmp/heard").out, "one\ntwo\nthree\n");
}

TEST_F(BackgroundOutput, OfAProbeDoesNotEndItsWriter) {
  spec(fmt::format(
      R"(
services:
  web:
    command: "exec sleep 1000"
    readiness: {{exec: "test -e /var/tmp/begun || {{ touch /var/tmp/begun; sh -c '{}' & }}"}}
)",
      writer("/var/tmp/mark")));
  expect(0, {"apply"});
  EXPECT_TRUE(comes_to_its_end("/var/tmp/mark"));
}

TEST_F(BackgroundOutput, OfAServiceThatStartsAgainDoesNotEndItsWriter) {
  spec(fmt::format(
      R"(
services:
  web:
    command: "test -e /var/tmp/begun && exec sleep 1000; env -i PATH=$PATH setsid sh -c 'touch /var/tmp/begun; {}' & sleep 0.3; exit 1"
    restart: on-failure
    readiness: {{exec: "test -e /var/tmp/begun"}}
)",
      writer("/var/tmp/mark")));
  expect(0, {"apply"});
  EXPECT_TRUE(comes_to_its_end("/var/tmp/mark"));
}

} // namespace
} // namespace pyro::testing
