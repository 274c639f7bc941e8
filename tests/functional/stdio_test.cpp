// What a command reads and writes is its user's: it may be opened again by name.
#include "../support/home.hpp"

namespace pyro::testing {
namespace {

class Stdio : public Functional {};

TEST_F(Stdio, CanBeOpenedAgainByTheUserOfTheCommand) {
  const std::string write = "echo out > /dev/stdout; echo err > /dev/stderr";
  spec(
      "services: {s: {command: '" + write + "; touch /tmp/done', user: nobody, oneshot: true}}\n"
      + "prepare: [{run: '" + write + "; echo by $(id -un) > /tmp/step', user: nobody}]\n");
  const auto applied = pyro({"apply"});
  if (applied.status != 0 && !contains(applied.all(), "Permission denied")) {
    spec();
    expect(0, {"apply"});
    if (!has_users()) {
      GTEST_SKIP() << "one user only: no range of ids for us";
    }
  }
  EXPECT_EQ(applied.status, 0) << applied;
  EXPECT_EQ(inside("cat /tmp/step; ls /tmp/done").out, "by nobody\n/tmp/done\n");
  EXPECT_TRUE(contains(expect(0, {"logs", "s"}).out, "err"));

  const auto result = pyro({"exec", "-u", "nobody", "--", "sh", "-c", write});
  EXPECT_EQ(result.status, 0) << result;
  EXPECT_EQ(result.out, "out\n");
  EXPECT_EQ(result.err, "err\n");
  const auto read = pyro({"exec", "-i", "-u", "nobody", "--", "cat", "/dev/stdin"}, {.input = "in\n"});
  EXPECT_EQ(read.out, "in\n") << read;
}

} // namespace
} // namespace pyro::testing
