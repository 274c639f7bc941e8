// `pyro run` and `pyro vm …`: one command in a sandbox of its own, on the command line.
#include "../support/home.hpp"

#include <pyro/base/json_access.hpp>

#include <csignal>

namespace pyro::testing {
namespace {

class RunCli : public Functional {
protected:
  /// After each test no VM may be there: `run` and `vm exec` remove theirs, whatever happens.
  void TearDown() override {
    EXPECT_EQ(json({"vm", "list"})["count"], 0);
    Functional::TearDown();
  }
};

TEST_F(RunCli, PassesOutputInputAndStatusThrough) {
  const auto ran = pyro(
      {"run", "host", "--progress", "quiet", "--", "sh", "-c", "cat; echo failed >&2; exit 5"},
      {.input = "from a pipe\n"});
  EXPECT_EQ(ran.status, 5) << ran;
  EXPECT_EQ(ran.out, "from a pipe\n");
  EXPECT_TRUE(ran.err.ends_with("failed\n")) << ran;
  EXPECT_EQ(pyro({"run", "host", "--", "/no/such/program"}).status, 127);
  EXPECT_EQ(pyro({"run", "host", "--", "/etc/passwd"}).status, 126);
  EXPECT_EQ(pyro({"run", "dir:/no/such/directory", "--", "true"}).status, 125);
  const auto late = pyro({"run", "host", "--timeout-seconds", "1", "--", "sleep", "30"});
  EXPECT_EQ(late.status, 124) << late;
  EXPECT_TRUE(contains(late.err, "timed out")) << late;
  const auto document = Json::parse(expect(0, {"run", "host", "--json", "--", "echo", "text"}).out);
  EXPECT_EQ(document["stdout"], "text\n");
  EXPECT_EQ(document["execution_mode"], "sandbox");
}

TEST_F(RunCli, StreamsBothWaysWhileItRuns) {
  const auto program = (bin / "pyro").string();
  const auto script = R"(set -e; cd "$1"; mkfifo in out
    "$0" run host --progress quiet -- sh -c 'echo first; read word; echo "got $word"' <in >out &
    exec 4>in 5<out
    read -r line <&5; test "$line" = first
    echo word >&4
    read -r line <&5; test "$line" = "got word"
    wait $!)";
  const auto ran =
      os::run({.argv = {"bash", "-c", script, program, root().string()}, .env = environment({})});
  EXPECT_TRUE(ran.outcome.ok()) << os::to_string(ran.outcome) << ran.out << ran.err;
}

TEST_F(RunCli, AnInterruptEndsTheCommandAndTheVm) {
  auto running = start({"run", "host", "--", "sleep", "300"});
  EXPECT_TRUE(eventually([&] {
    const auto vms = json({"vm", "list"})["vms"];
    return vms.size() == 1 && vms[0]["state"] == "started";
  }));
  running.signal(SIGINT);
  EXPECT_EQ(running.wait().shell_status(), 130);
}

TEST_F(RunCli, OneStepAfterTheOther) {
  auto id = expect(0, {"vm", "create", "host", "--id-only", "--name", "steps", "--mem-mib", "512"}).out;
  ASSERT_TRUE(id.ends_with('\n'));
  id.pop_back();
  EXPECT_TRUE(contains(expect(0, {"vm", "list"}).out, id));
  EXPECT_EQ(pyro({"vm", "exec", id, "--", "true"}).status, 125);
  EXPECT_TRUE(contains(expect(0, {"vm", "start", "steps"}).err, "Started"));
  const auto status = expect(0, {"vm", "status", id.substr(0, 6)}).out;
  EXPECT_TRUE(contains(status, "started") && contains(status, "512 MiB")) << status;
  EXPECT_EQ(expect(0, {"vm", "network-info", "steps"}).out, "off\n");
  const auto ran = pyro({"vm", "exec", "steps", "--", "sh", "-c", "echo once; exit 3"});
  EXPECT_EQ(ran.status, 3) << ran;
  EXPECT_EQ(ran.out, "once\n");
  EXPECT_TRUE(contains(pyro({"vm", "status", "steps"}).err, "does not exist"));
  expect(0, {"vm", "create", "host", "--name", "other"});
  expect(0, {"vm", "stop", "other"});
  expect(0, {"vm", "delete", "other"});
  EXPECT_TRUE(contains(expect(0, {"vm", "reap"}).err, "Nothing to remove"));
}

TEST_F(RunCli, WithoutAnEnvironmentInTheWorkspaceOfTheFile) {
  spec();
  const auto ran = pyro({"run", "--", "sh", "-c", "echo made > made; cat made; exit 9"});
  EXPECT_EQ(ran.status, 9) << ran;
  EXPECT_EQ(ran.out, "made\n") << "what apply says goes to standard error";
  EXPECT_EQ(inside("cat made").out, "made\n");
  EXPECT_EQ(pyro({"run", "--reset", "--", "cat", "made"}).out, "made\n");
  EXPECT_NE(inside("cat made").status, 0);
  EXPECT_EQ(pyro({"run", "--mem-mib", "512", "--", "true"}).status, 64);
}

TEST_F(RunCli, WithoutIsolationOnlyByWord) {
  const auto refused = pyro({"run", "host", "--backend", "host", "--", "true"});
  EXPECT_EQ(refused.status, 125);
  EXPECT_TRUE(contains(refused.err, "guest boot is unavailable")) << refused;
  EXPECT_TRUE(contains(refused.err, "--allow-host-compat")) << refused;
  const auto agreed = Json::parse(
      expect(0, {"run", "host", "--backend", "host", "--allow-host-compat", "--json", "--", "pwd"}).out);
  EXPECT_EQ(agreed["execution_mode"], "host_compat");
  EXPECT_TRUE(contains(agreed["stdout"].get<std::string>(), state().string())) << agreed;
}

TEST_F(RunCli, NoMoreThanTheCap) {
  const RunOptions one{.env = {{"PYRO_MAX_ACTIVE", "1"}}};
  expect(0, {"vm", "create", "host", "--name", "first"}, one);
  EXPECT_TRUE(contains(pyro({"vm", "create", "host"}, one).err, "max active VMs reached"));
  expect(0, {"vm", "delete", "first"}, one);
}

} // namespace
} // namespace pyro::testing
