// Pains with services: docs/pains.md, 1 to 5.
#include "pains.hpp"

namespace pyro::testing {
namespace {

using PainsWithServices = Pains;

TEST_F(PainsWithServices, P01ReadyServicesLookUnreadyForAWholeInterval) {
  // With a first check after the interval this would take ten minutes.
  declare("services:\n"
          "  web: {command: 'touch /tmp/up; exec sleep 1000',\n"
          "        readiness: {exec: test -e /tmp/up || sleep 1; test -e /tmp/up, interval: 10m, deadline: "
          "30m}}\n");
  expect(0, {"apply", "--timeout", "2m"});
  EXPECT_EQ(service("web")["state"], "ready");
  // A field without an effect is no silent one.
  declare("services:\n  web: {command: sleep 1000, readiness: {file: /tmp/up, interval: 10m}}\n");
  const auto refused = expect(65, {"validate"});
  EXPECT_TRUE(contains(refused.out, "this has no effect")) << refused;
}

TEST_F(PainsWithServices, P02WaitingHangsOnWhatIsMeantToEnd) {
  declare("services:\n"
          "  migrate: {oneshot: true, command: 'sleep 0.2; echo done > /tmp/migrated'}\n"
          "  web: {command: 'cat /tmp/migrated > /tmp/seen; exec sleep 1000', depends_on: [migrate],\n"
          "        readiness: {file: /tmp/seen}}\n");
  expect(0, {"apply", "--timeout", "2m"});
  EXPECT_EQ(service("migrate")["state"], "completed");
  EXPECT_EQ(inside("cat /tmp/seen").out, "done\n") << "it was started before the other had completed";
  expect(0, {"wait", "--timeout", "1m"});
}

TEST_F(PainsWithServices, P03NoSingleCommandStartsWaitsAndTells) {
  declare("services:\n"
          "  web: {command: 'sleep 0.2; touch /tmp/up; exec sleep 1000', readiness: {file: /tmp/up}}\n");
  expect(0, {"apply"});
  EXPECT_EQ(service("web")["state"], "ready") << "apply did not wait";
  declare("services:\n  web: {command: 'echo of the service; exec sleep 1000',\n"
          "        readiness: {file: /tmp/never, deadline: 1s}}\n");
  const auto late = expect(6, {"apply", "--yes"});
  EXPECT_TRUE(contains(late.err, "web")) << late;
  EXPECT_TRUE(contains(late.err, "/tmp/never")) << "what it waited for is not told: " << late;
  EXPECT_TRUE(contains(late.err, "of the service")) << "the log is not told: " << late;
}

TEST_F(PainsWithServices, P04ADeadDependencyLeavesOthersPendingOrOneCrashEndsAll) {
  // One early crash is healed by a restart...
  declare(
      "services:\n"
      "  db: {command: 'test -e /tmp/second || { touch /tmp/second; exit 1; }; touch /tmp/up; exec sleep "
      "1000',\n"
      "       restart: on-failure, readiness: {file: /tmp/up}}\n"
      "  web: {command: 'touch /tmp/web; exec sleep 1000', depends_on: [db], readiness: {file: /tmp/web}}\n");
  expect(0, {"apply", "--timeout", "2m"});
  EXPECT_EQ(service("db")["restarts"], 1);
  EXPECT_EQ(service("web")["state"], "ready");
  // ...and where the restarts are used up, nobody waits for the deadline.
  declare("services:\n"
          "  db: {command: exit 7, restart: on-failure, max_restarts: 2, readiness: {file: /tmp/never, "
          "deadline: 1h}}\n"
          "  web: {command: exec sleep 1000, depends_on: [db], readiness: {file: /tmp/web, deadline: 1h}}\n");
  const auto failed = expect(6, {"apply", "--yes", "--timeout", "2m"});
  EXPECT_TRUE(contains(failed.err, "db")) << failed;
  EXPECT_TRUE(contains(failed.err, "7")) << "the exit code is not told: " << failed;
}

TEST_F(PainsWithServices, P05ReadinessChecksNeverStopAndFillTheLog) {
  declare("services:\n"
          "  web: {command: 'echo started; exec sleep 1000',\n"
          "        readiness: {exec: 'echo probe >> /tmp/probes', interval: 20ms}}\n");
  expect(0, {"apply"});
  EXPECT_EQ(inside("sleep 0.5; wc -l < /tmp/probes").out, "1\n") << "it goes on after the first success";
  EXPECT_FALSE(contains(pyro({"logs", "web"}).out, "probe"));
}

} // namespace
} // namespace pyro::testing
