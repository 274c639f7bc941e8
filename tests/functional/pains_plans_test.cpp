// Pains with plans, rebuilds and caches: docs/pains.md, 6 to 11, 17 to 19.
#include "pains.hpp"

#include <csignal>

namespace pyro::testing {
namespace {

using PainsWithPlans = Pains;

TEST_F(PainsWithPlans, P06ThingsAreMadeAnewThoughNothingChanged) {
  declare("services:\n"
          "  one: {command: exec sleep 1000, env: {A: '1', B: '2'}}\n"
          "  two: {command: exec sleep 1001}\n");
  expect(0, {"apply"});
  declare("x-note: anything\n"
          "vars: {a: {default: '1'}}\n"
          "services:\n"
          "  two:   # another order, another style\n"
          "    command: \"exec sleep 1001\"\n"
          "  one:\n"
          "    env:\n"
          "      B: \"2\"\n"
          "      A: ${a}\n"
          "    command: exec sleep 1000\n");
  EXPECT_TRUE(plans_nothing()) << pyro({"plan"});
  declare("services:\n"
          "  one: {command: exec sleep 1000, env: {A: '1', B: '3'}}\n"
          "  two: {command: exec sleep 1001}\n");
  const auto why = pyro({"why", "services.one"});
  EXPECT_TRUE(contains(why.out, "env.B")) << "the input that differs is not named: " << why;
}

TEST_F(PainsWithPlans, P07TheFileChangedAndNobodySaysThatTheRunningThingDidNot) {
  declare("services:\n  web: {command: exec sleep 1000}\n");
  expect(0, {"apply"});
  declare("services:\n  web: {command: exec sleep 2000}\n");
  EXPECT_EQ(json({"status"})["spec_changed"], true);
  const auto used = expect(0, {"exec", "--", "true"});
  EXPECT_TRUE(contains(used.err, "pyro.yaml")) << "exec does not say so: " << used;
  EXPECT_TRUE(planned("services.web").starts_with("restart ")) << planned("services.web");
}

TEST_F(PainsWithPlans, P08EverythingIsToBeRebuiltForAChangeThatNeedsNothing) {
  const std::string steps = "prepare: [{id: build, run: cp a.txt built.txt}]\n";
  declare(steps + "services:\n  web: {command: exec sleep 1000}\n");
  expect(0, {"apply"});
  declare(
      "description: for people\nlifecycle: {ttl: 12h}\nretention: {keep: 9}\n" + steps
      + "services:\n  web: {command: exec sleep 1000, ports: ['8080'], stop: {grace: 3s}}\n");
  const auto plan = json({"plan"});
  for (const auto& action : plan["plan"]["actions"]) {
    const auto what = action.value("action", "");
    EXPECT_TRUE(what == "noop" || what == "update") << action;
  }
  expect(0, {"apply"});
  EXPECT_EQ(service("web")["restarts"], 0);
}

TEST_F(PainsWithPlans, P09OneEditedCharacterInstallsEverythingAgain) {
  write_file(project() / "src/lock.txt", "v1\n");
  declare("prepare:\n"
          "  - {id: install, inputs: [lock.txt], run: cp lock.txt installed.txt}\n"
          "  - {id: build, run: cat a.txt > built.txt}\n");
  expect(0, {"apply"});
  write_file(project() / "src/a.txt", "two\n");
  EXPECT_TRUE(planned("prepare.install").starts_with("noop ")) << planned("prepare.install");
  EXPECT_TRUE(planned("prepare.build").starts_with("rebuild ")) << planned("prepare.build");
  // A full hit restores only: another checkout of the same content builds nothing.
  write_file(project() / "src/a.txt", "one\n");
  const auto other = another_project("other");
  write_file(other / "src/a.txt", "one\n");
  write_file(other / "src/lock.txt", "v1\n");
  fs::copy_file(project() / "pyro.yaml", other / "pyro.yaml");
  replace_in_file(other / "pyro.yaml", "dir:./image", "dir:" + (project() / "image").string());
  const auto plan = json({"plan"}, {.cwd = other, .env = {{"PYRO_TRUST", "1"}}});
  for (const auto& action : plan["plan"]["actions"]) {
    EXPECT_NE(action.value("action", ""), "build") << action;
  }
}

TEST_F(PainsWithPlans, P10CacheKeysAreOnTheWrongThing) {
  declare("prepare: [{id: build, run: cp a.txt built.txt}]\n");
  expect(0, {"apply"});
  // Time stamps alone are no miss...
  fs::last_write_time(project() / "src/a.txt", fs::file_time_type::clock::now() + std::chrono::hours(1));
  EXPECT_TRUE(plans_nothing()) << pyro({"plan"});
  // ...and equal sizes and time stamps no hit.
  const auto time = fs::last_write_time(project() / "src/a.txt");
  write_file(project() / "src/a.txt", "two\n");
  fs::last_write_time(project() / "src/a.txt", time);
  EXPECT_TRUE(planned("prepare.build").starts_with("rebuild ")) << pyro({"plan"});
  const auto why = pyro({"why", "prepare.build"});
  EXPECT_TRUE(contains(why.out, "seed")) << why;
  // What a step did not declare is not there, so it cannot go into a layer that is found without it.
  declare("prepare: [{id: build, inputs: [lock.txt], run: cat a.txt > built.txt}]\n");
  write_file(project() / "src/lock.txt", "v1\n");
  const auto failed = pyro({"apply", "--yes"});
  EXPECT_EQ(failed.status, 1) << failed;
  EXPECT_TRUE(contains(failed.err, "a.txt")) << failed;
}

TEST_F(PainsWithPlans, P11ProvisioningCountsAsDoneAfterItFailed) {
  declare("prepare: [{id: build, run: 'echo ran; test -s ok && cp a.txt built.txt'}]\n");
  EXPECT_EQ(pyro({"apply"}).status, 1);
  EXPECT_TRUE(planned("prepare.build").starts_with("build ")) << "a failed step has a key";
  write_file(project() / "src/ok", "yes\n");
  expect(0, {"apply"});
  inside("rm built.txt");
  const auto reset = expect(0, {"reset", "--yes"});
  EXPECT_EQ(inside("cat built.txt").out, "one\n");
  EXPECT_FALSE(contains(reset.all(), "ran")) << "a reset runs steps: " << reset;
}

TEST_F(PainsWithPlans, P17TheLockStaysAfterAJobWasCancelled) {
  declare("prepare: [{id: build, run: 'touch begun; exec sleep 1000'}]\n");
  auto job = start({"apply"});
  ASSERT_TRUE(eventually([&] {
    const auto ids = workspace_ids();
    return !ids.empty() && fs::exists(state() / "workspaces" / *ids.begin() / "build");
  }));
  EXPECT_TRUE(contains(pyro({"status"}).out, std::to_string(job.pid())))
      << "status does not say who holds it";
  job.signal(SIGKILL);
  job.wait();
  declare("");
  expect(0, {"apply", "--lock-timeout", "20s"}); // nobody has to know an id, nor to unlock anything
}

TEST_F(PainsWithPlans, P18PlansAreStaleForNoReasonOrAppliedTwice) {
  declare("services: {web: {command: exec sleep 1000}}\n");
  expect(0, {"plan", "--out", "first.plan"});
  expect(0, {"apply", "first.plan"});
  expect(4, {"apply", "first.plan"});
  const auto generation = json({"status"})["generation"];
  declare("services: {web: {command: exec sleep 2000}}\n");
  expect(0, {"plan", "--out", "second.plan"});
  declare("services: {web: {command: exec sleep 1000}}\n");
  expect(0, {"apply"}); // nothing to do: it makes no other plan stale
  EXPECT_EQ(json({"status"})["generation"], generation);
  declare("services: {web: {command: exec sleep 2000}}\n");
  expect(0, {"apply", "second.plan"});
}

TEST_F(PainsWithPlans, P19DriftIsSoNoisyThatPeopleStopReading) {
  declare("");
  expect(0, {"apply"});
  inside("mkdir -p .pytest_cache && echo x > .pytest_cache/v; echo x > /tmp/scratch; true");
  EXPECT_TRUE(plans_nothing()) << pyro({"plan"});
  write_file(project() / "src/a.txt", "two\n");
  const auto harmless = json({"plan"})["plan"];
  EXPECT_EQ(harmless.value("needs_approval", true), false) << harmless;
  inside("echo mine > notes.txt");
  const auto plan = pyro({"plan"});
  EXPECT_TRUE(contains(plan.out, "notes.txt")) << plan;
  EXPECT_FALSE(contains(plan.out, ".pytest_cache")) << plan;
}

} // namespace
} // namespace pyro::testing
