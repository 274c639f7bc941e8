// A lock is a lease of a living process: who has it is told, and a dead one's is free at once.
#include "flags.hpp"

#include <pyro/base/json_access.hpp>

#include <csignal>
#include <unistd.h>

namespace pyro::testing {
namespace {

class Locks : public Flags {};

TEST_F(Locks, StatusSaysWhoHoldsItAndUnlockTakesItFromNobody) {
  auto child = somebody_at_work();
  ASSERT_TRUE(eventually([&] { return json({"status"}).contains("lock"); }));
  const auto lock = json({"status"})["lock"];
  EXPECT_EQ(lock["operation"], "apply");
  EXPECT_EQ(lock["pid"], child.pid());
  EXPECT_FALSE(lock["owner"].get<std::string>().empty());
  char host[256] = {};
  ASSERT_EQ(::gethostname(host, sizeof host - 1), 0);
  EXPECT_EQ(lock["host"], std::string(host));
  EXPECT_TRUE(contains(expect(0, {"status"}).out, "apply by " + lock["owner"].get<std::string>()));
  const auto refused = expect(5, {"unlock"});
  EXPECT_TRUE(contains(refused.err, "apply (pid " + std::to_string(child.pid()))) << refused;
  EXPECT_FALSE(child.try_wait()) << "it goes on";

  child.signal(SIGKILL);
  std::ignore = child.wait();
  expect(0, {"unlock", "--lock-timeout", "0s"});
  file();
  const auto next = expect(0, {"apply", "--lock-timeout", "1s"});
  EXPECT_FALSE(json({"status"}).contains("lock"));
}

TEST_F(Locks, AnApplyThatChangesNothingIsNoOtherGeneration) {
  file();
  expect(0, {"apply"});
  const auto before = json({"status"})["generation"];
  file("labels: {team: web}\n");
  expect(0, {"plan", "--out", "kept.plan"});
  file();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(json({"apply"})["changed"], false);
  }
  EXPECT_EQ(json({"status"})["generation"], before);
  file("labels: {team: web}\n");
  expect(0, {"apply", "kept.plan"});
}

} // namespace
} // namespace pyro::testing
