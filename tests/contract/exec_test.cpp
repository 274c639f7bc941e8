// ws-exec-logs, ws-rehydrate, ws-requires-started, diff-silent: commands, and what is noted of them.
#include "contract.hpp"

#include <pyro/base/json_access.hpp>

#include <thread>

namespace pyro::contract {
namespace {

TEST_P(ContractSandbox, ws_exec_logs) {
  const auto id = create_id();
  EXPECT_EQ(output(id, "pwd; echo kept > file"), "/workspace\n");
  EXPECT_EQ(output(id, "cat file"), "kept\n") << "files persist between commands";
  const auto failed = exec(id, "echo out; echo err >&2; exit 7", {{"cwd", "/tmp"}});
  EXPECT_EQ(failed["exit_code"], 7);
  EXPECT_EQ(failed["stdout"], "out\n");
  EXPECT_EQ(failed["stderr"], "err\n");
  EXPECT_EQ(failed["workspace_id"], id);
  EXPECT_EQ(failed["sequence"], 3);
  EXPECT_EQ(failed["cwd"], "/tmp");
  EXPECT_EQ(failed["command"], "echo out; echo err >&2; exit 7");

  const auto status = call("workspace_status", by_id(id));
  EXPECT_EQ(status["command_count"], 3);
  EXPECT_EQ(status["last_command"]["command"], "echo out; echo err >&2; exit 7");
  EXPECT_EQ(status["last_command"]["exit_code"], 7);

  const auto logs = call("workspace_logs", by_id(id));
  EXPECT_EQ(logs["count"], 3);
  const auto& entries = logs["entries"];
  ASSERT_EQ(entries.size(), 3u);
  for (std::size_t index = 0; index < 3; ++index) {
    EXPECT_EQ(entries[index]["sequence"], index + 1);
    EXPECT_EQ(entries[index]["execution_mode"], status["execution_mode"]);
    EXPECT_GE(entries[index]["started_at"].get<double>(), status["created_at"].get<double>());
    EXPECT_GE(entries[index]["duration_ms"].get<int>(), 0);
  }
  EXPECT_EQ(entries[1]["command"], "cat file");
  EXPECT_EQ(entries[1]["stdout"], "kept\n");
  EXPECT_EQ(entries[1]["cwd"], "/workspace");
  EXPECT_EQ(entries[2]["stderr"], "err\n");
  EXPECT_EQ(entries[2]["cwd"], "/tmp");
  EXPECT_EQ(entries[2]["exit_code"], 7);

  EXPECT_EQ(call("workspace_delete", by_id(id))["deleted"], true);
  for (const auto* operation : {"workspace_status", "workspace_logs", "workspace_delete"}) {
    fails(operation, by_id(id), ErrorCode::not_found, "does not exist");
  }
}

TEST_P(ContractSandbox, ws_exec_logs__words) {
  const auto id = create_id();
  const auto result =
      call("workspace_exec", {{"workspace_id", id}, {"command", {"printf", "%s|", "a b", "$HOME", "it's"}}});
  EXPECT_EQ(result["stdout"], "a b|$HOME|it's|") << "a list is run without a shell";
  EXPECT_EQ(
      call("workspace_logs", by_id(id))["entries"][0]["command"], "printf '%s|' 'a b' '$HOME' 'it'\\''s'");
  const auto missing = call("workspace_exec", {{"workspace_id", id}, {"command", {"no-such-program"}}});
  EXPECT_EQ(missing["exit_code"], 127);
  EXPECT_NE(missing["stderr"].get<std::string>().find("no-such-program"), std::string::npos);
  fails(
      "workspace_exec", {{"workspace_id", id}, {"command", ""}}, ErrorCode::invalid_argument,
      "must not be empty");
  fails(
      "workspace_exec", {{"workspace_id", id}, {"command", Json::array()}}, ErrorCode::invalid_argument,
      "must not be empty");
}

TEST_P(ContractSandbox, ws_exec_logs__of_the_project) {
  const auto id = create_id();
  const auto result = call("exec", {{"workspace", id}, {"argv", {"sh", "-c", "pwd"}}});
  EXPECT_EQ(result["workspace_id"], id);
  EXPECT_EQ(result["sequence"], 1);
  EXPECT_EQ(result["cwd"], "/workspace");
}

TEST_P(ContractSandbox, ws_exec_logs__environment_and_input) {
  const auto id = create_id();
  const auto result = exec(id, "echo $COLOR; cat", {{"env", {{"COLOR", "blue"}}}, {"stdin", "typed"}});
  EXPECT_EQ(result["stdout"], "blue\ntyped");
}

TEST_P(ContractSandbox, ws_exec_logs__timeout) {
  const auto id = create_id();
  const int seconds = GetParam() == std::string("qemu") ? 6 : 1; // an emulated shell takes its time to begin
  const auto result = exec(id, "echo begun; (sleep 1000 &) ; sleep 1000", {{"timeout_seconds", seconds}});
  EXPECT_EQ(result["exit_code"], 124);
  EXPECT_EQ(result["timed_out"], true);
  EXPECT_EQ(result["stdout"], "begun\n");
  EXPECT_NE(result["stderr"].get<std::string>().find("timed out"), std::string::npos);
  EXPECT_NE(exec(id, "pidof sleep")["exit_code"], 0) << "the whole tree has to be dead";
  EXPECT_EQ(call("workspace_logs", by_id(id))["entries"][0]["exit_code"], 124);
  fails(
      "workspace_exec", {{"workspace_id", id}, {"command", "true"}, {"timeout_seconds", 0}},
      ErrorCode::invalid_argument, "must be positive");
}

TEST_P(ContractSandbox, ws_exec_logs__bounded) {
  const auto id = create_id();
  const auto result = exec(id, "echo first; head -c 3000000 /dev/zero | tr '\\0' x; echo last");
  EXPECT_EQ(result["stdout_truncated"], true);
  EXPECT_LT(result["stdout"].get<std::string>().size(), 2'000'000u);
  const auto entry = call("workspace_logs", by_id(id))["entries"][0];
  EXPECT_EQ(entry["stdout_truncated"], true);
  EXPECT_EQ(entry["stderr_truncated"], false);
  const auto kept = entry["stdout"].get<std::string>();
  EXPECT_LT(kept.size(), 200'000u);
  EXPECT_TRUE(kept.starts_with("first\n") && kept.ends_with("xlast\n"));
}

TEST_P(ContractSandbox, ws_exec_logs__at_once) {
  const auto id = create_id();
  constexpr int k_callers = 6;
  std::vector<std::thread> callers;
  for (int caller = 0; caller < k_callers; ++caller) {
    callers.emplace_back([&, caller] {
      const auto own = operations::make_engine(settings(), {});
      for (int round = 0; round < 3; ++round) {
        const auto command = fmt::format("echo {}-{}", caller, round);
        EXPECT_EQ(
            own->call("workspace_exec", {{"workspace_id", id}, {"command", command}})["stdout"],
            fmt::format("{}-{}\n", caller, round));
      }
    });
  }
  for (auto& caller : callers) {
    caller.join();
  }
  const auto logs = call("workspace_logs", by_id(id));
  EXPECT_EQ(logs["count"], 3 * k_callers);
  std::set<std::string> said;
  for (std::size_t index = 0; index < logs["entries"].size(); ++index) {
    EXPECT_EQ(logs["entries"][index]["sequence"], index + 1);
    said.insert(logs["entries"][index]["stdout"].get<std::string>());
  }
  EXPECT_EQ(said.size(), 3u * k_callers) << "none is lost or twice";
}

TEST_P(ContractSandbox, ws_rehydrate) {
  const auto id = create_id({{"name", "kept"}});
  output(id, "echo one > file; sleep 1000 >/dev/null 2>&1 &");
  reopen();
  EXPECT_EQ(output("kept", "cat file; pidof sleep >/dev/null && echo runs"), "one\nruns\n");
  reopen();
  const auto logs = call("workspace_logs", by_id(id));
  EXPECT_EQ(logs["count"], 2);
  EXPECT_EQ(logs["entries"][1]["stdout"], "one\nruns\n");
  reopen();
  EXPECT_EQ(call("workspace_stop", by_id(id))["state"], "stopped");
}

TEST_P(ContractSandbox, ws_requires_started) {
  const auto id = create_id();
  output(id, "echo before");
  call("workspace_stop", by_id(id));
  fails(
      "workspace_exec", {{"workspace_id", id}, {"command", "true"}}, ErrorCode::bad_state,
      "must be in 'started' state");
  EXPECT_EQ(call("workspace_logs", by_id(id))["count"], 1) << "the log can be read of a stopped one";
}

TEST_P(ContractSandbox, diff_silent__count) {
  const auto id = create_id();
  output(id, "echo new > file");
  call("diff", {{"workspace", id}});
  call("workspace_summary", by_id(id));
  EXPECT_EQ(call("workspace_status", by_id(id))["command_count"], 1);
  EXPECT_EQ(call("workspace_logs", by_id(id))["count"], 1);
}

} // namespace
} // namespace pyro::contract
