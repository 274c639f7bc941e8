// Services by hand: processes that the agent keeps.
#include "services.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/fd.hpp>

#include <csignal>

namespace pyro::contract {
namespace {

TEST_P(ContractSandbox, service_start) {
  const Services services(*this);
  const auto started = services.start(
      "web", "echo \"$A in $PWD\" > seen; touch up; exec sleep 1000",
      {{"cwd", "/tmp"}, {"env", {{"A", "b c"}}}, {"readiness", {{"type", "file"}, {"path", "/tmp/up"}}}});
  EXPECT_EQ(started["workspace_id"], services.id);
  EXPECT_EQ(started["service_name"], "web");
  EXPECT_EQ(started["state"], "running");
  EXPECT_EQ(started["cwd"], "/tmp");
  EXPECT_GT(started["pid"].get<int>(), 1);
  EXPECT_GE(started["ready_at"].get<double>(), started["started_at"].get<double>());
  EXPECT_EQ(started["readiness"]["type"], "file");
  EXPECT_TRUE(started["exit_code"].is_null());
  EXPECT_TRUE(started["ended_at"].is_null());
  EXPECT_EQ(output(services.id, "cat /tmp/seen"), "b c in /tmp\n");

  const auto plain = services.start("plain", "exec sleep 1000");
  EXPECT_EQ(plain["state"], "running");
  EXPECT_EQ(plain["cwd"], "/workspace");
  EXPECT_FALSE(plain["ready_at"].is_null());
  const auto listed = call(
      "service_start", services.with("list", {{"command", {"sh", "-c", "echo \"$0\"; sleep 1000", "a  b"}}}));
  EXPECT_EQ(listed["state"], "running");
  EXPECT_EQ(call("workspace_logs", {{"workspace_id", services.id}})["count"], 1) << "no service is a command";
}

TEST_P(ContractSandbox, service_list) {
  const Services services(*this);
  EXPECT_EQ(services.list()["count"], 0);
  services.start("a", "exec sleep 1000");
  services.start("b", "exit 0");
  services.becomes("b", "exited");
  const auto list = services.list();
  EXPECT_EQ(list["count"], 2);
  EXPECT_EQ(list["running_count"], 1);
  EXPECT_EQ(list["services"][0]["service_name"], "a");
  EXPECT_EQ(list["services"][1]["service_name"], "b");
  const auto workspace = call("workspace_status", {{"workspace_id", services.id}});
  EXPECT_EQ(workspace["service_count"], 2);
  EXPECT_EQ(workspace["running_service_count"], 1);
}

TEST_P(ContractSandbox, service_status) {
  const Services services(*this);
  services.start("a", "exec sleep 1000");
  const auto status = services.status("a");
  EXPECT_EQ(status["state"], "running");
  EXPECT_EQ(status["command"], "exec sleep 1000");
  EXPECT_EQ(status["ready_timeout_seconds"], 30);
  const auto record = parse_json(
      os::read_file((base() / "workspaces" / services.id / "services" / "a.json").string()), "record");
  EXPECT_EQ(record["state"], "running");
  EXPECT_GT(record["layout_version"].get<int>(), 0);
  reopen();
  EXPECT_EQ(services.status("a"), status);
  fails("service_status", services.with("none"), ErrorCode::invalid_argument, "does not exist");
}

TEST_P(ContractSandbox, service_logs) {
  const Services services(*this);
  services.start(
      "talk", "echo one; echo two; echo three; echo oops >&2; touch up; exec sleep 1000",
      {{"readiness", {{"type", "file"}, {"path", "up"}}}});
  const auto all = call("service_logs", services.with("talk"));
  EXPECT_EQ(all["stdout"], "one\ntwo\nthree\n");
  EXPECT_EQ(all["stderr"], "oops\n");
  EXPECT_EQ(all["truncated"], false);
  EXPECT_EQ(all["tail_lines"], 200);
  const auto few = call("service_logs", services.with("talk", {{"tail_lines", 2}}));
  EXPECT_EQ(few["stdout"].get<std::string>() + few["stderr"].get<std::string>(), "three\noops\n");
  EXPECT_EQ(few["truncated"], true);
  const auto more = call("service_logs", services.with("talk", {{"tail_lines", 10}}));
  EXPECT_EQ(more["stdout"], all["stdout"]);
  EXPECT_EQ(more["truncated"], false);
  EXPECT_EQ(call("service_logs", services.with("talk", {{"tail_lines", nullptr}}))["truncated"], false);
  services.stop("talk");
  EXPECT_EQ(call("service_logs", services.with("talk"))["stdout"], "one\ntwo\nthree\n");
  fails("service_logs", services.with("none"), ErrorCode::invalid_argument, "does not exist");
}

TEST_P(ContractSandbox, service_stop) {
  const Services services(*this);
  services.start("polite", "sleep 1001 & sleep 1002 & wait");
  const auto stopped = services.stop("polite");
  EXPECT_EQ(stopped["state"], "stopped");
  EXPECT_EQ(stopped["stop_reason"], "sigterm");
  EXPECT_TRUE(stopped["pid"].is_null());
  EXPECT_GE(stopped["ended_at"].get<double>(), stopped["started_at"].get<double>());
  EXPECT_TRUE(services.nobody_sleeps()) << "the whole group";

  services.start(
      "deaf", "trap '' TERM; touch up; while :; do sleep 0.1; done",
      {{"readiness", {{"type", "file"}, {"path", "up"}}}});
  const auto before = std::chrono::steady_clock::now();
  const auto killed = services.stop("deaf");
  const auto took = std::chrono::steady_clock::now() - before;
  EXPECT_EQ(killed["state"], "stopped");
  EXPECT_EQ(killed["stop_reason"], "sigkill");
  EXPECT_GE(took, std::chrono::milliseconds(4900));

  services.start("short", "exit 0");
  services.becomes("short", "exited");
  EXPECT_EQ(services.stop("short")["state"], "exited") << "one that is gone is no error";
  EXPECT_EQ(services.stop("polite")["stop_reason"], "sigterm");
  fails("service_stop", services.with("none"), ErrorCode::invalid_argument, "does not exist");
}

TEST_P(ContractSandbox, service_failed) {
  const Services services(*this);
  const auto early = services.start(
      "early", "echo starting; echo no database >&2; exit 3",
      {{"readiness", {{"type", "file"}, {"path", "never"}}}});
  EXPECT_EQ(early["state"], "failed");
  EXPECT_EQ(early["exit_code"], 3);
  EXPECT_NE(early["reason"].get<std::string>().find("before it was ready"), std::string::npos) << early;
  EXPECT_NE(early["log_tail"].dump().find("no database"), std::string::npos);

  const auto late = services.start(
      "late", "echo waiting; exec sleep 1000",
      {{"readiness", {{"type", "file"}, {"path", "never"}}}, {"ready_timeout_seconds", 1}});
  EXPECT_EQ(late["state"], "failed");
  EXPECT_NE(late["reason"].get<std::string>().find("not ready within"), std::string::npos) << late;
  EXPECT_NE(late["log_tail"].dump().find("waiting"), std::string::npos);
  EXPECT_TRUE(late["pid"].is_null());
  EXPECT_TRUE(services.nobody_sleeps());
  EXPECT_EQ(services.status("late")["state"], "failed");
  EXPECT_EQ(services.list()["running_count"], 0);
}

TEST_P(ContractSandbox, service_exited) {
  const Services services(*this);
  services.start("a", "sleep 0.3; exit 4");
  const auto ended = services.becomes("a", "exited");
  EXPECT_EQ(ended["exit_code"], 4);
  EXPECT_GE(ended["ended_at"].get<double>() - ended["started_at"].get<double>(), 0.25);
  EXPECT_TRUE(ended["pid"].is_null());
  services.start("b", "exec sleep 1000");
  exec(services.id, "kill -KILL $(pidof sleep)");
  EXPECT_EQ(services.becomes("b", "exited")["exit_code"], 137);
}

TEST_P(ContractSandbox, service_again) {
  const Services services(*this);
  const auto first = services.start("a", "echo first; exec sleep 1000");
  fails(
      "service_start", services.with("a", {{"command", "sleep 1"}}), ErrorCode::bad_state, "already running");
  EXPECT_EQ(services.status("a")["command"], "echo first; exec sleep 1000");
  services.stop("a");
  const auto second = services.start(
      "a", "echo second; touch up; exec sleep 1000", {{"readiness", {{"type", "file"}, {"path", "up"}}}});
  EXPECT_EQ(second["state"], "running");
  EXPECT_NE(second["pid"], first["pid"]);
  EXPECT_TRUE(second["stop_reason"].is_null());
  EXPECT_TRUE(second["ended_at"].is_null());
  EXPECT_EQ(call("service_logs", services.with("a"))["stdout"], "second\n");
  EXPECT_EQ(services.list()["count"], 1);
  const Json never{{"readiness", {{"type", "file"}, {"path", "never"}}}, {"ready_timeout_seconds", 1}};
  services.stop("a");
  EXPECT_EQ(services.start("a", "exec sleep 1000", never)["state"], "failed");
  EXPECT_EQ(services.start("a", "exec sleep 1000")["state"], "running") << "at once after a failure";
}

TEST_P(ContractSandbox, service_workspace_stopped) {
  const Services services(*this);
  services.start("a", "exec sleep 1000");
  services.start("b", "exit 0");
  services.becomes("b", "exited");
  const auto ended = services.status("b")["ended_at"];
  const auto workspace = call("workspace_stop", {{"workspace_id", services.id}});
  EXPECT_EQ(workspace["service_count"], 2);
  EXPECT_EQ(workspace["running_service_count"], 0);
  reopen();
  const auto stopped = services.status("a");
  EXPECT_GE(stopped["ended_at"].get<double>(), stopped["started_at"].get<double>());
  EXPECT_EQ(services.status("b")["ended_at"], ended);
  EXPECT_EQ(stopped["state"], "stopped");
  EXPECT_EQ(stopped["stop_reason"], "workspace_stopped");
  EXPECT_TRUE(stopped["pid"].is_null());
  EXPECT_EQ(services.status("b")["state"], "exited");
  const auto list = services.list();
  EXPECT_EQ(list["count"], 2);
  EXPECT_EQ(list["running_count"], 0);
  for (const auto* operation : {"service_start", "service_stop"}) {
    fails(
        operation,
        operation == std::string("service_start") ? services.with("a", {{"command", "x"}})
                                                  : services.with("a"),
        ErrorCode::bad_state, "must be in 'started' state");
  }
  call("workspace_start", {{"workspace_id", services.id}});
  EXPECT_EQ(services.status("a")["stop_reason"], "workspace_stopped");
  EXPECT_EQ(services.start("a", "exec sleep 1000")["state"], "running");
}

/// The log lives in the sandbox; what it had when it was stopped is kept.
TEST_P(ContractSandbox, service_logs__stopped) {
  const auto id = create_id({{"secrets", Json::array({{{"name", "token"}, {"value", "S3cretValue99"}}})}});
  const Json talk{{"workspace_id", id}, {"service_name", "talk"}};
  auto start = talk;
  start["command"] = "echo one; echo \"<$TOKEN>\" >&2; echo three; touch up; exec sleep 1000";
  start["secret_env"] = {{"token", "TOKEN"}};
  start["readiness"] = {{"type", "file"}, {"path", "up"}};
  ASSERT_EQ(call("service_start", start)["state"], "running");
  call("workspace_stop", {{"workspace_id", id}});
  const auto kept = call("service_logs", talk);
  EXPECT_EQ(kept["state"], "stopped");
  EXPECT_EQ(kept["stdout"], "one\nthree\n");
  EXPECT_EQ(kept["stderr"], "<[redacted:token]>\n");
  EXPECT_EQ(kept["truncated"], false);
  auto few = talk;
  few["tail_lines"] = 2;
  const auto last = call("service_logs", few);
  EXPECT_EQ(last["stdout"], "three\n");
  EXPECT_EQ(last["stderr"], "<[redacted:token]>\n");
  EXPECT_EQ(last["truncated"], true);
  const auto lines = call("logs", {{"workspace", id}})["lines"];
  EXPECT_EQ(lines.size(), 3U);
  const auto file = os::read_file((base() / "workspaces" / id / "services" / "logs" / "talk.json").string());
  EXPECT_EQ(file.find("S3cret"), std::string::npos);
  call("workspace_start", {{"workspace_id", id}});
  EXPECT_EQ(call("service_logs", talk)["stdout"], "one\nthree\n") << "until it is started again";
  call("workspace_reset", {{"workspace_id", id}});
  fails("service_logs", talk, ErrorCode::invalid_argument, "does not exist");
}

/// Nobody was there to note it: whoever looks at the workspace first writes it down.
TEST_P(ContractSandbox, service_workspace_stopped__noted_by_a_look) {
  const Services services(*this);
  services.start("a", "exec sleep 1000");
  const auto pid = call("workspace_status", {{"workspace_id", services.id}})["supervisor_pid"].get<int>();
  ASSERT_EQ(::kill(pid, SIGKILL), 0);
  Json workspace;
  for (int i = 0; i < 500 && workspace["state"] != "stopped"; ++i) {
    workspace = call("workspace_status", {{"workspace_id", services.id}});
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(workspace["service_count"], 1);
  EXPECT_EQ(workspace["running_service_count"], 0);
  EXPECT_EQ(workspace["services"][0]["name"], "a");
  EXPECT_EQ(workspace["services"][0]["state"], "stopped");
  const auto record = parse_json(
      os::read_file((base() / "workspaces" / services.id / "services" / "a.json").string()), "record");
  EXPECT_EQ(record["state"], "stopped");
  EXPECT_EQ(record["stop_reason"], "workspace_stopped");
  EXPECT_GE(record["ended_at"].get<double>(), record["started_at"].get<double>());
}

TEST_P(ContractSandbox, service_workspace_stopped__killed) {
  const Services services(*this);
  services.start("a", "exec sleep 1000");
  const auto pid = call("workspace_status", {{"workspace_id", services.id}})["supervisor_pid"].get<int>();
  ASSERT_EQ(::kill(pid, SIGKILL), 0);
  const auto stopped = services.becomes("a", "stopped");
  EXPECT_EQ(stopped["stop_reason"], "workspace_stopped");
}

TEST_P(ContractSandbox, service_restart__by_reset) {
  const Services services(*this);
  services.start("a", "exec sleep 1000");
  call("workspace_reset", {{"workspace_id", services.id}});
  EXPECT_EQ(services.list()["count"], 0);
  fails("service_status", services.with("a"), ErrorCode::invalid_argument, "does not exist");
  EXPECT_TRUE(services.nobody_sleeps());
  EXPECT_EQ(services.start("a", "exec sleep 1000")["state"], "running");
}

/// Restart policy and liveness are the agent's, so they go on when no client is connected.
TEST_P(ContractSandbox, service_restart) {
  const auto directory = tree(
      "project", {{"pyro.yaml", "version: 1\nname: restarts\nenvironment: {image: \"" + environment()
                                    + "\"}\n"
                                      R"(services:
  again:
    command: "echo run >> /var/lib/runs; sleep 0.2; exit 1"
    restart: always
    max_restarts: 1000
  alive:
    command: "echo run >> /var/lib/lives; touch /tmp/fine; exec sleep 1000"
    restart: on-failure
    liveness: {exec: "test -e /tmp/fine", interval: 100ms, failures: 1}
)"}});
  call("apply", {{"directory", directory.string()}, {"approve", true}, {"wait", false}});
  const auto id = call("status", {{"directory", directory.string()}})["workspace_id"].get<std::string>();
  const auto runs = [&](const std::string& file) {
    return std::stoi(output(id, "cat /var/lib/" + file + " 2>/dev/null | wc -l"));
  };
  for (int i = 0; i < 100 && runs("lives") == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(1200)); // it counts as alive, and is looked at
  exec(id, "rm /tmp/fine");
  const auto before = runs("runs");
  reopen(); // from here on nobody is connected
  std::this_thread::sleep_for(std::chrono::milliseconds(3000));
  EXPECT_GT(runs("runs"), before);
  EXPECT_GE(runs("lives"), 2);
  const auto list = call("service_list", {{"workspace_id", id}});
  EXPECT_EQ(list["count"], 2);
  EXPECT_EQ(list["services"][0]["declared"], true);
  EXPECT_GT(list["services"][0]["restarts"].get<int>(), 0);
  fails(
      "service_start", {{"workspace_id", id}, {"service_name", "again"}, {"command", "x"}},
      ErrorCode::already_exists, "declared in pyro.yaml");
}

TEST_P(ContractSandbox, ws_secrets__service) {
  const auto id = create_id({{"secrets", Json::array({{{"name", "token"}, {"value", "S3cretValue99"}}})}});
  const auto started = call(
      "service_start", {{"workspace_id", id},
                        {"service_name", "a"},
                        {"command", "echo \"<$TOKEN>\"; exit 3"},
                        {"secret_env", {{"token", "TOKEN"}}},
                        {"readiness", {{"type", "file"}, {"path", "never"}}}});
  EXPECT_EQ(started["state"], "failed");
  EXPECT_EQ(started["log_tail"], Json::array({"<[redacted:token]>"}));
  EXPECT_EQ(
      call("service_logs", {{"workspace_id", id}, {"service_name", "a"}})["stdout"], "<[redacted:token]>\n");
  const auto record = os::read_file((base() / "workspaces" / id / "services" / "a.json").string());
  EXPECT_EQ(record.find("S3cret"), std::string::npos) << record;
}

} // namespace
} // namespace pyro::contract
