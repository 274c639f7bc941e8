// `pyro workspace …`: workspaces made by hand, on the command line.
#include "../support/home.hpp"
#include "../support/leftovers.hpp"

#include <pyro/base/json_access.hpp>

#include <csignal>
#include <thread>

namespace pyro::testing {
namespace {

class WorkspaceCli : public Functional {
protected:
  /// The id of a workspace on the root of this machine.
  std::string create(const Arguments& more = {}) {
    Arguments words{"workspace", "create", "host", "--id-only"};
    words.insert(words.end(), more.begin(), more.end());
    auto id = expect(0, words).out;
    EXPECT_TRUE(id.ends_with('\n'));
    id.pop_back();
    return id;
  }

  Result exec(
      const std::string& id, const Arguments& flags, const Arguments& command,
      const RunOptions& options = {}) {
    Arguments words{"workspace", "exec", id};
    words.insert(words.end(), flags.begin(), flags.end());
    words.emplace_back("--");
    words.insert(words.end(), command.begin(), command.end());
    return pyro(words, options);
  }

  void TearDown() override {
    const auto list = json({"workspace", "list"});
    for (const auto& one : list["workspaces"]) {
      expect(0, {"workspace", "delete", one["workspace_id"].get<std::string>()});
    }
    Functional::TearDown();
  }
};

TEST_F(WorkspaceCli, OneFromCreateToDelete) {
  write_file(project() / "seed/hello.txt", "hello\n");
  const auto made = expect(
      0, {"workspace", "create", "host", "--seed-path", "seed", "--name", "demo", "--label", "team=web",
          "--ttl-seconds", "900", "--mem-mib", "512", "--vcpu-count", "1"});
  EXPECT_TRUE(contains(made.out, "demo") && contains(made.out, "started")) << made;

  const auto run = exec("demo", {}, {"cat", "hello.txt"});
  EXPECT_EQ(run.out, "hello\n");
  EXPECT_EQ(run.status, 0) << run;

  const auto status = json({"workspace", "status", "demo"});
  EXPECT_EQ(status["mem_mib"], 512);
  EXPECT_EQ(status["labels"], (Json{{"team", "web"}}));
  EXPECT_EQ(status["workspace_seed"]["seed_path"], fs::canonical(project() / "seed").string());
  EXPECT_EQ(status["command_count"], 1);

  EXPECT_TRUE(contains(expect(0, {"workspace", "logs", "demo"}).out, "[1] cat hello.txt  exit 0"));
  EXPECT_EQ(json({"workspace", "logs", "demo"})["entries"][0]["stdout"], "hello\n");
  const auto summary = expect(0, {"workspace", "summary", "demo"}).out;
  EXPECT_TRUE(contains(summary, "commands   1") && contains(summary, "cat hello.txt")) << summary;

  expect(0, {"workspace", "update", "demo", "--name", "renamed", "--clear-label", "team"});
  EXPECT_EQ(json({"workspace", "status", "renamed"})["labels"], Json::object());
  EXPECT_TRUE(contains(expect(0, {"workspace", "stop", "renamed"}).err, "Stopped renamed"));
  EXPECT_EQ(exec("renamed", {}, {"true"}).status, 125);
  EXPECT_EQ(json({"workspace", "list", "--state", "stopped"})["count"], 1);
  expect(0, {"workspace", "start", "renamed"});
  EXPECT_EQ(exec("renamed", {}, {"cat", "hello.txt"}).out, "hello\n");
  EXPECT_EQ(expect(0, {"workspace", "list", "--name", "nobody", "--id-only"}).out, "");
  EXPECT_TRUE(contains(expect(0, {"workspace", "reap"}).err, "Nothing to remove"));
  const auto deleted = expect(0, {"workspace", "delete", "renamed"});
  EXPECT_EQ(deleted.out, "");
  EXPECT_TRUE(contains(pyro({"workspace", "status", "renamed"}).err, "does not exist"));
}

TEST_F(WorkspaceCli, ExecStreamsAndPassesTheStatusThrough) {
  const auto id = create();
  EXPECT_EQ(exec(id, {}, {"sh", "-c", "exit 42"}).status, 42);
  EXPECT_EQ(exec(id, {}, {"no-such-program"}).status, 127);
  EXPECT_EQ(exec(id, {}, {"/etc/passwd"}).status, 126);
  EXPECT_EQ(exec("nothing-of-that-name", {}, {"true"}).status, 125);
  const auto late = exec(id, {"--timeout-seconds", "1"}, {"sleep", "100"});
  EXPECT_EQ(late.status, 124);
  EXPECT_TRUE(contains(late.err, "timed out")) << late;

  const auto mixed =
      exec(id, {"--cwd", "/tmp", "-e", "A=1"}, {"sh", "-c", "pwd; echo $A >&2; cat"}, {.input = "typed\n"});
  EXPECT_EQ(mixed.out, "/tmp\ntyped\n");
  EXPECT_EQ(mixed.err, "1\n");

  // Flags of the command are its own, before and after --.
  EXPECT_EQ(pyro({"workspace", "exec", id, "echo", "--json", "-x"}).out, "--json -x\n");
  const auto document = Json::parse(expect(0, {"workspace", "exec", id, "--json", "--", "echo", "hi"}).out);
  EXPECT_EQ(document["stdout"], "hi\n");
  EXPECT_EQ(document["exit_code"], 0);
  EXPECT_EQ(pyro({"workspace", "exec", id, "--json", "--", "false"}).status, 1);
  EXPECT_EQ(pyro({"workspace", "exec", id, "--"}).status, 64);
  EXPECT_EQ(pyro({"workspace", "exec"}).status, 64);
}

TEST_F(WorkspaceCli, OutputComesWhileTheCommandRunsAndCtrlCEndsTheCommandOnly) {
  const auto id = create();
  auto running =
      start({"workspace", "exec", id, "--", "sh", "-c", "echo begun > /workspace/mark; sleep 1000"});
  ASSERT_TRUE(eventually([&] { return exec(id, {}, {"cat", "mark"}).out == "begun\n"; }));
  ASSERT_EQ(::kill(running.pid(), SIGINT), 0);
  std::optional<os::Outcome> outcome;
  ASSERT_TRUE(eventually([&] { return (outcome = running.try_wait()).has_value(); }));
  EXPECT_EQ(outcome->shell_status(), 130);
  EXPECT_TRUE(eventually([&] { return exec(id, {}, {"pgrep", "-f", "[s]leep 1000"}).status == 1; }));
  EXPECT_EQ(json({"workspace", "status", id})["state"], "started");
}

TEST_F(WorkspaceCli, SecretsFromFlagsFilesAndOurEnvironment) {
  write_file(project() / "key", "key-of-a-file\n");
  RunOptions with;
  with.env["FROM_US"] = "value-of-ours";
  const auto made = expect(
      0,
      {"workspace", "create", "host", "--name", "safe", "--secret", "GIVEN=value-given", "--secret",
       "FROM_US", "--secret-file", "key=key"},
      with);
  EXPECT_FALSE(contains(made.all(), "value-")) << made;
  const auto run = exec(
      "safe", {"--secret-env", "FROM_US", "--secret-env", "GIVEN=G"},
      {"sh", "-c", "echo $FROM_US $G; cat /run/secrets/key; wc -c < /run/secrets/key"});
  EXPECT_EQ(run.out, "[redacted:FROM_US] [redacted:GIVEN]\n[redacted:key]\n14\n");
  EXPECT_FALSE(contains(expect(0, {"workspace", "logs", "safe", "--json"}).out, "value-"));
  EXPECT_EQ(pyro({"workspace", "create", "host", "--secret", "NOT_SET_ANYWHERE"}).status, 64);
  const auto bare = pyro({"workspace", "create", "host", "--secret-file", "hidden-text"});
  EXPECT_EQ(bare.status, 64);
  EXPECT_FALSE(contains(bare.err, "hidden-text")) << "it may be a secret without its name";
}

TEST_F(WorkspaceCli, WrongValuesAreRefused) {
  EXPECT_EQ(pyro({"workspace", "create"}).status, 64);
  EXPECT_EQ(pyro({"workspace", "create", "host", "--ttl-seconds", "soon"}).status, 64);
  EXPECT_EQ(pyro({"workspace", "create", "host", "--network-policy", "open"}).status, 64);
  EXPECT_TRUE(contains(
      pyro({"workspace", "create", "host", "--ttl-seconds", "30"}).err, "ttl_seconds must be between"));
  EXPECT_TRUE(
      contains(pyro({"workspace", "create", "host", "--mem-mib", "64"}).err, "mem_mib must be between"));
  EXPECT_TRUE(
      contains(pyro({"workspace", "create", "host", "--vcpu-count", "0"}).err, "vcpu_count must be between"));
  EXPECT_TRUE(contains(pyro({"workspace", "create", "host", "--label", "novalue"}).err, "NAME=VALUE"));
  EXPECT_TRUE(contains(pyro({"workspace", "update", "x"}).err, "nothing to change"));
  EXPECT_EQ(json({"workspace", "list"})["count"], 0);
}

TEST_F(WorkspaceCli, CommandsOfADeclaredWorkspaceAreCountedToo) {
  spec();
  expect(0, {"apply", "--yes"});
  EXPECT_EQ(inside("echo declared").out, "declared\n");
  const auto id = *workspace_ids().begin();
  EXPECT_EQ(json({"status"})["command_count"], 1);
  EXPECT_EQ(json({"workspace", "logs", id})["entries"][0]["stdout"], "declared\n");
  EXPECT_TRUE(contains(pyro({"workspace", "update", id, "--name", "other"}).err, "pyro.yaml"));
  expect(0, {"reset", "--yes"});
  EXPECT_EQ(json({"status"})["command_count"], 0) << "a reset begins a new history";
  EXPECT_EQ(json({"workspace", "logs", id})["count"], 0);
}

} // namespace
} // namespace pyro::testing
