// Calls that take long, many at once, withdrawn, and what is there when the client or the server has gone.
#include "mcp_client.hpp"

#include <csignal>

namespace pyro::testing {
namespace {

class McpCalls : public Mcp {
protected:
  /// A workspace of the project, in which `wait` blocks until release().
  void SetUp() override {
    Mcp::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    small_project();
    ASSERT_EQ(pyro({"apply", "--yes"}).status, 0);
  }

  static Json waiting(const std::string& name = "go") {
    return {
        {"argv",
         {"sh", "-c", "echo begun >> began; until test -e " + name + "; do sleep 0.05; done; echo $$"}}};
  }

  static int send(McpClient& client, const Json& arguments) {
    return client.send("tools/call", {{"name", "exec"}, {"arguments", arguments}});
  }

  bool has_begun(int count = 1) {
    return eventually([&] { return inside("wc -l < began").out == std::to_string(count) + "\n"; }, 60);
  }

  void release() { ASSERT_EQ(inside("touch go").status, 0); }

  /// How many the sandbox has: with nothing else, its agent and the shell that counts.
  int processes() { return std::stoi(inside("set -- /proc/[0-9]*; echo $#").out); }
};

class McpManyCalls : public McpCalls, public ::testing::WithParamInterface<Revision> {};

TEST_P(McpManyCalls, FiftyAtOnceHoldUpNobody) {
  auto client = serve({}, GetParam());
  client.begin();
  std::vector<int> ids;
  for (int count = 0; count < 50; ++count) {
    ids.push_back(send(client, waiting()));
  }
  EXPECT_TRUE(has_begun(50));
  EXPECT_EQ(client.ok("status")["state"], "started") << "while fifty wait";
  release();
  for (const auto id : ids) {
    EXPECT_EQ(client.answer(id)["result"]["structuredContent"]["exit_code"], 0);
  }
  EXPECT_EQ(client.close(), 0);
}

INSTANTIATE_TEST_SUITE_P(
    In, McpManyCalls,
    ::testing::Values(
        Revision{"2025-11-25", false}, Revision{"2025-11-25", false, Over::http},
        Revision{"2026-07-28", true, Over::http}),
    test_name_of);

TEST_F(McpCalls, WhatTakesLongIsPendingAndItsResultIsThereLater) {
  auto client = serve({"--answer-within", "300ms"});
  const auto pending = client.ok("exec", waiting())["pending"];
  EXPECT_EQ(pending["operation"], "exec");
  const Json handle{{"call_id", pending["call_id"]}};
  EXPECT_EQ(client.ok("call_wait", handle)["pending"], pending) << "still";
  release();
  Json result;
  EXPECT_TRUE(
      eventually([&] { return (result = client.ok("call_wait", handle)).contains("exit_code"); }, 60));
  EXPECT_EQ(result["exit_code"], 0);
  EXPECT_EQ(client.ok("call_wait", handle), result) << "it can be read again";
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpCalls, AResultOutlivesItsServer) {
  Json handle;
  {
    auto client = serve({"--answer-within", "300ms"});
    handle = {{"call_id", client.ok("exec", waiting())["pending"]["call_id"]}};
    ASSERT_TRUE(has_begun());
    auto other = serve();
    EXPECT_TRUE(contains(
        other.refused("call_wait", handle),
        "runs in another server, process " + std::to_string(client.process().pid())));
    release();
    Json result;
    EXPECT_TRUE(
        eventually([&] { return (result = client.ok("call_wait", handle)).contains("exit_code"); }, 60));
    EXPECT_EQ(other.ok("call_wait", handle), result);
    client.process().signal(SIGKILL);
    EXPECT_EQ(client.process().wait().signal, SIGKILL);
    EXPECT_EQ(other.close(), 0);
  }
  auto client = serve();
  EXPECT_EQ(client.ok("call_wait", handle)["exit_code"], 0);
  auto modern = serve({}, {"2026-07-28", true});
  const auto task = modern.ask("tasks/get", {{"taskId", handle["call_id"]}})["result"];
  EXPECT_EQ(task["status"], "completed") << "a task as well";
  EXPECT_EQ(modern.close(), 0);
  for (const auto* wrong : {"call-../../workspace", "call-0", ""}) {
    EXPECT_TRUE(contains(client.refused("call_wait", {{"call_id", wrong}}), "there is no call"));
  }
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpCalls, ACallThatIsLostWithItsServerIsSaidToBe) {
  auto client = serve({"--answer-within", "300ms"});
  const Json handle{{"call_id", client.ok("exec", waiting())["pending"]["call_id"]}};
  ASSERT_TRUE(has_begun());
  client.process().signal(SIGKILL);
  EXPECT_EQ(client.process().wait().signal, SIGKILL);
  auto next = serve();
  const auto text = next.refused("call_wait", handle);
  EXPECT_TRUE(contains(text, "the server that ran this call (exec) ended before it was done")) << text;
  EXPECT_TRUE(contains(text, "workspace_logs")) << text;
  EXPECT_EQ(next.close(), 0);
  EXPECT_TRUE(eventually([&] { return processes() == 2; }, 60)) << "agent and shell";
}

TEST_F(McpCalls, APendingCallIsCancelledByItsHandle) {
  auto client = serve({"--answer-within", "300ms"});
  const auto pending = client.ok("exec", waiting())["pending"];
  ASSERT_TRUE(has_begun());
  const Json handle{{"call_id", pending["call_id"]}, {"cancel", true}};
  Json result;
  EXPECT_TRUE(eventually(
      [&] { return !(result = client.call("call_wait", handle)["structuredContent"]).contains("pending"); },
      60));
  EXPECT_NE(result.value("exit_code", -1), 0) << result;
  EXPECT_EQ(processes(), 2) << "agent and shell";
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpCalls, AClientThatTakesTasksGetsOne) {
  auto client = serve({}, {"2026-07-28", true});
  client.capabilities = {{"extensions", {{"io.modelcontextprotocol/tasks", Json::object()}}}};
  const auto created = client.answer(send(client, waiting()))["result"];
  EXPECT_EQ(created["resultType"], "task");
  EXPECT_EQ(created["status"], "working");
  const Json task{{"taskId", created["taskId"]}};
  EXPECT_EQ(client.ask("tasks/get", task)["result"]["status"], "working");
  release();
  Json done;
  EXPECT_TRUE(eventually(
      [&] { return (done = client.ask("tasks/get", task)["result"])["status"] == "completed"; }, 60));
  EXPECT_EQ(done["resultType"], "complete");
  EXPECT_EQ(done["result"]["structuredContent"]["exit_code"], 0);
  EXPECT_EQ(client.ask("tasks/get", {{"taskId", "none"}})["error"]["code"], -32602);
  // What is quick is no task.
  EXPECT_EQ(client.ask("tools/call", {{"name", "status"}})["result"]["resultType"], "complete");
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpCalls, ATaskIsCancelled) {
  auto client = serve({}, {"2026-07-28", true});
  client.capabilities = {{"extensions", {{"io.modelcontextprotocol/tasks", Json::object()}}}};
  const auto created = client.answer(send(client, waiting()))["result"];
  const Json task{{"taskId", created["taskId"]}};
  EXPECT_EQ(client.ask("tasks/cancel", task)["result"], Json({{"resultType", "complete"}}));
  EXPECT_TRUE(
      eventually([&] { return client.ask("tasks/get", task)["result"]["status"] == "cancelled"; }, 60));
  EXPECT_EQ(processes(), 2) << "agent and shell";
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpCalls, AWithdrawnRequestEndsItsProcessesAndIsNotAnswered) {
  auto client = serve();
  // One that takes SIGINT, and one that does not.
  const auto first = send(client, waiting());
  const auto second = send(
      client, {{"argv", {"sh", "-c", "trap '' INT; echo begun >> began; while :; do sleep 0.05; done"}}});
  ASSERT_TRUE(has_begun(2));
  for (const auto id : {first, second}) {
    client.notify("notifications/cancelled", {{"requestId", id}, {"reason", "test"}});
  }
  EXPECT_TRUE(eventually([&] { return processes() == 2; }, 60)) << "agent and shell";
  EXPECT_EQ(client.ask("ping")["result"], Json::object());
  for (const auto& message : client.heard()) {
    EXPECT_NE(message.value("id", Json()), first) << message;
    EXPECT_NE(message.value("id", Json()), second) << message;
  }
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpCalls, AModernClientOverHttpThatLeavesWithdrawsItsRequest) {
  auto client = serve({}, {"2026-07-28", true, Over::http});
  std::ignore = send(client, waiting());
  ASSERT_TRUE(has_begun());
  client.http().leave_last();
  EXPECT_TRUE(eventually([&] { return processes() == 2; }, 60)) << "agent and shell";
  EXPECT_EQ(client.ok("status")["state"], "started");
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpCalls, ALegacyClientOverHttpThatLeavesDoesNotAndSaysWhenItWantsTo) {
  auto client = serve({}, {"2025-11-25", false, Over::http});
  client.begin();
  std::ignore = send(client, waiting());
  ASSERT_TRUE(has_begun());
  client.http().leave_last();
  const auto other = send(client, waiting("other"));
  ASSERT_TRUE(has_begun(2));
  client.notify("notifications/cancelled", {{"requestId", other}});
  const auto has_ended = [&](const std::string& name) {
    return contains(client.ok("status")["last_command"].dump(), "until test -e " + name);
  };
  EXPECT_TRUE(eventually([&] { return has_ended("other"); })) << "it was cancelled";
  release();
  EXPECT_TRUE(eventually([&] { return has_ended("go"); })) << "nobody waits for it, and nobody cancelled it";
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpCalls, AnEndedSessionWithdrawsItsRequests) {
  auto client = serve({}, {"2025-11-25", false, Over::http});
  client.begin();
  std::ignore = send(client, waiting());
  ASSERT_TRUE(has_begun());
  auto ending = client.http().wire();
  ending.write(http_request("DELETE", "/mcp", client.http().fields_of(nullptr), ""));
  EXPECT_EQ(ending.reply().status, 200);
  EXPECT_TRUE(eventually([&] { return processes() == 2; }, 60)) << "agent and shell";
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpCalls, ASignalEndsTheServerOverHttp) {
  auto client = serve({}, {"2026-07-28", true, Over::http});
  std::ignore = send(client, waiting());
  ASSERT_TRUE(has_begun());
  EXPECT_EQ(client.close(), 0);
  EXPECT_TRUE(eventually([&] { return processes() == 2; }, 60)) << "agent and shell";
  EXPECT_EQ(json({"status"})["state"], "started");
  EXPECT_TRUE(fs::is_empty(state() / "mcp")) << "the token went with the server";
}

TEST_F(McpCalls, ProgressComesBeforeTheAnswerAndNeverAfter) {
  ASSERT_EQ(pyro({"destroy", "--yes", "--snapshots"}).status, 0);
  auto client = serve();
  const auto id = client.send(
      "tools/call", {{"name", "apply"}, {"arguments", Json::object()}, {"_meta", {{"progressToken", "t"}}}});
  EXPECT_EQ(client.answer(id)["result"]["isError"], false);
  EXPECT_EQ(client.ask("ping")["result"], Json::object());
  int last = 0;
  bool is_answered = false;
  for (const auto& message : client.heard()) {
    is_answered = is_answered || message.value("id", Json()) == id;
    if (message.value("method", "") == "notifications/progress") {
      EXPECT_FALSE(is_answered) << message;
      EXPECT_EQ(message["params"]["progressToken"], "t");
      EXPECT_GT(message["params"]["progress"], last);
      last = message["params"]["progress"];
      EXPECT_NE(message["params"].value("message", ""), "");
    }
  }
  EXPECT_GT(last, 0);
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpCalls, TheEndOfTheClientEndsTheServerAndLeavesTheWorkspace) {
  auto client = serve();
  std::ignore = send(client, waiting());
  ASSERT_TRUE(has_begun());
  EXPECT_EQ(client.close(), 0);
  EXPECT_TRUE(eventually([&] { return processes() == 2; }, 60)) << "the command was interrupted";
  EXPECT_EQ(json({"status"})["state"], "started");
}

TEST_F(McpCalls, ASignalEndsTheServer) {
  auto client = serve();
  client.begin();
  std::ignore = send(client, waiting());
  ASSERT_TRUE(has_begun());
  client.process().signal(SIGTERM);
  EXPECT_EQ(client.process().wait().shell_status(), 0);
  EXPECT_EQ(json({"status"})["state"], "started");
}

TEST_F(McpCalls, AKilledServerLeavesNoProcessButTheSandbox) {
  auto client = serve();
  std::ignore = send(client, waiting());
  ASSERT_TRUE(has_begun());
  client.process().signal(SIGKILL);
  EXPECT_EQ(client.process().wait().signal, SIGKILL);
  EXPECT_TRUE(eventually([&] { return processes() == 2; }, 60)) << "the command was interrupted";
  EXPECT_EQ(json({"status"})["state"], "started");
}

TEST_F(McpCalls, AKilledLauncherIsStartedAgain) {
  auto client = serve();
  client.ok("status");
  const auto launcher = command({"pgrep", "-P", std::to_string(client.process().pid())});
  ASSERT_EQ(launcher.status, 0);
  ::kill(std::stoi(launcher.out), SIGKILL);
  EXPECT_TRUE(eventually([&] { return !client.call("status").value("isError", true); }, 60));
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpCalls, ALauncherThatDoesNotAnswerIsGivenUp) {
  auto client = serve();
  client.ok("status");
  const auto launcher = command({"pgrep", "-P", std::to_string(client.process().pid())});
  ASSERT_EQ(launcher.status, 0);
  ::kill(std::stoi(launcher.out), SIGSTOP);
  const auto first = client.send("tools/call", {{"name", "status"}});
  const auto second = client.send("tools/call", {{"name", "status"}});
  client.notify("notifications/cancelled", {{"requestId", second}});
  const auto text = client.answer(first)["result"]["content"][0].value("text", "");
  EXPECT_TRUE(contains(text, "did not begin the call within")) << text;
  EXPECT_EQ(client.ok("status")["state"], "started") << "by another one";
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpCalls, ACommandThatFailsIsAResult) {
  auto client = serve();
  EXPECT_EQ(client.ok("exec", {{"argv", {"sh", "-c", "echo out; echo err >&2; exit 7"}}})["exit_code"], 7);
  EXPECT_EQ(client.ok("exec", {{"argv", {"/none"}}})["exit_code"], 127);
  const auto cut = client.ok("exec", {{"argv", {"seq", "100000"}}, {"max_output_bytes", 1000}});
  EXPECT_EQ(cut["stdout_truncated"], true);
  EXPECT_EQ(client.close(), 0);
}

} // namespace
} // namespace pyro::testing
