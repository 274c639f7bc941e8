// What takes all memory of a sandbox ends; the agent, hence the sandbox, does not, and says who it was.
#include "../support/home.hpp"

namespace pyro::testing {
namespace {

class MemoryAttacks : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    spec();
    replace_in_file(project() / "pyro.yaml", "memory: 256MiB", "memory: 128MiB");
    fs::copy_file(binary_dir() / "bin/attacks/attack_resources", project() / "attack_resources");
  }

  /// Where control groups are not ours to use there is no limit, and doctor says so.
  bool has_limits() {
    for (const auto& check : json({"doctor"}).value("checks", Json::array())) {
      if (check.value("name", "") == "limits") {
        return check.value("level", "") == "ok";
      }
    }
    return false;
  }

  void expect_alive(const std::string& agent) {
    EXPECT_EQ(inside("cut -d' ' -f22 /proc/1/stat").out, agent) << "the sandbox is another one";
    EXPECT_EQ(state_of_workspace(), "started");
  }
};

TEST_F(MemoryAttacks, NothingOfTheAgentCanBeWrittenAndItsShareIsItsOwn) {
  expect(0, {"apply"});
  const auto result = pyro({"exec", "--", "./attack_resources", "agent"});
  EXPECT_EQ(result.status, 0) << result;
  EXPECT_NE(result.out.find("agent/proc/1/oom_score_adj: blocked"), std::string::npos) << result;
  EXPECT_NE(result.out.find("done: 0 succeeded"), std::string::npos) << result;
  EXPECT_EQ(result.out.find(": missing "), std::string::npos) << result;
  // Everything else is above it.
  const auto scores = inside("cat /proc/1/oom_score_adj /proc/self/oom_score_adj").out;
  EXPECT_LT(std::stoi(scores), std::stoi(scores.substr(scores.find('\n') + 1))) << scores;
}

TEST_F(MemoryAttacks, AHogEndsAndIsNamed) {
  if (!has_limits()) {
    GTEST_SKIP() << "memory is not limited here";
  }
  expect(0, {"apply"});
  const auto agent = inside("cut -d' ' -f22 /proc/1/stat").out;
  const auto result = pyro({"exec", "--", "./attack_resources", "hog"});
  EXPECT_EQ(result.status, 137) << result;
  EXPECT_EQ(result.out.find("SUCCEEDED"), std::string::npos) << result;
  EXPECT_EQ(result.out.find(": missing "), std::string::npos) << result;
  EXPECT_NE(
      result.err.find(
          "pyro: ./attack_resources was killed: out of memory (environment.resources.memory: 128 MiB)"),
      std::string::npos)
      << result;
  expect_alive(agent);
  auto kills = json({"status"}).at("oom_kills");
  EXPECT_GE(kills.at("count"), 1);
  EXPECT_EQ(kills.at("last").at("who"), "the command ./attack_resources");
  EXPECT_NE(pyro({"status"}).out.find("killed: out of memory"), std::string::npos);
  // By way of a shell, and told apart from a kill by hand.
  EXPECT_NE(
      inside("./attack_resources hog >/dev/null; exit $?")
          .err.find("pyro: a process of /bin/sh was killed: out of memory (environment.resources.memory: "),
      std::string::npos);
  // A program that makes a failure of its own of it, and one that does without.
  EXPECT_NE(
      inside("./attack_resources hog >/dev/null || exit 2")
          .err.find(
              "pyro: while /bin/sh ran, a process was killed: out of memory (environment.resources.memory: "),
      std::string::npos);
  EXPECT_EQ(inside("./attack_resources hog >/dev/null || true").err.find("pyro:"), std::string::npos);
  EXPECT_EQ(inside("kill -9 $$").err.find("out of memory"), std::string::npos);
  expect_alive(agent);
}

TEST_F(MemoryAttacks, ACrowdOfSmallProcessesDoesNotEndTheAgentEither) {
  expect(0, {"apply"});
  if (!has_limits() || inside("cat /proc/1/oom_score_adj").out != "-1000\n") {
    GTEST_SKIP() << "needs a limit of memory, and CAP_SYS_RESOURCE to spare the agent altogether";
  }
  const auto agent = inside("cut -d' ' -f22 /proc/1/stat").out;
  const auto result = pyro({"exec", "--timeout", "30s", "--", "./attack_resources", "crowd"});
  EXPECT_EQ(result.out.find("SUCCEEDED"), std::string::npos) << result;
  expect_alive(agent);
  EXPECT_GE(json({"status"}).at("oom_kills").at("count"), 1);
}

TEST_F(MemoryAttacks, AStepThatWasKilledIsNamedWithTheField) {
  expect(0, {"apply"});
  if (!has_limits()) {
    GTEST_SKIP() << "memory is not limited here";
  }
  const auto with_step = [&](const std::string& run) {
    append_file(project() / "pyro.yaml", "prepare: [{id: large, run: '" + run + "'}]\n");
    const auto applied = pyro({"apply", "--yes"});
    EXPECT_EQ(applied.status, 1) << applied;
    auto text = read_file(project() / "pyro.yaml");
    write_file(project() / "pyro.yaml", text.substr(0, text.find("prepare:")));
    return applied.err;
  };
  const std::string limit = "killed: out of memory (environment.resources.memory: 128 MiB)";
  EXPECT_NE(with_step("exec ./attack_resources hog").find("the step large was " + limit), std::string::npos);
  const auto made = with_step("./attack_resources hog || exit 2");
  EXPECT_NE(made.find("while the step large ran, a process was " + limit), std::string::npos) << made;
  EXPECT_NE(made.find("exit code 2"), std::string::npos) << made;
}

TEST_F(MemoryAttacks, AServiceThatWasKilledSaysWhy) {
  append_file(
      project() / "pyro.yaml", "services:\n  db:\n    oneshot: true\n    command: ./attack_resources hog\n");
  if (!has_limits()) {
    GTEST_SKIP() << "memory is not limited here";
  }
  const auto applied = pyro({"apply"});
  EXPECT_NE(applied.status, 0) << applied;
  EXPECT_NE(applied.err.find("out of memory (environment.resources.memory: 128 MiB)"), std::string::npos)
      << applied;
  const auto status = json({"status"});
  EXPECT_EQ(status.at("oom_kills").at("last").at("who"), "the service db");
  EXPECT_NE(
      status.at("services").at(0).at("reason").get<std::string>().find("out of memory"), std::string::npos);
  EXPECT_EQ(status.at("services").at(0).at("oom_kills"), 1);
  const auto usage = json({"top", "--once", "--interval", "100ms"}).at("workspaces").at(0);
  EXPECT_GE(usage.at("oom_kills").at("count"), 1);
  EXPECT_EQ(usage.at("services").at(0).at("oom_kills"), 1);
  EXPECT_EQ(usage.at("memory").at("counted_by"), "cgroup");
  EXPECT_EQ(usage.at("memory").at("limit_bytes"), 128 << 20);
  EXPECT_GT(usage.at("memory").at("peak_bytes"), 100 << 20) << "as it was before the kill";
  EXPECT_TRUE(contains(expect(0, {"top", "--once", "--interval", "100ms"}).out, ": the service db, "));
}

} // namespace
} // namespace pyro::testing
