// Services by hand: processes that the agent keeps, with readiness.
#include "contract.hpp"

#include <pyro/os/atomic_file.hpp>
#include <pyro/os/fd.hpp>

#include <nlohmann/json.hpp>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <thread>
#include <unistd.h>

namespace pyro::contract {
namespace {

/// A workspace with services.
class Services {
public:
  explicit Services(Contract& test) : m_test(test), id(test.create_id()) {}

  Json with(const std::string& name, Json more = Json::object()) const {
    more["workspace_id"] = id;
    more["service_name"] = name;
    return more;
  }

  Json start(const std::string& name, const std::string& command, Json more = Json::object()) const {
    more["command"] = command;
    more.emplace("ready_interval_ms", 50);
    return m_test.call("service_start", with(name, std::move(more)));
  }

  Json status(const std::string& name) const { return m_test.call("service_status", with(name)); }

  Json stop(const std::string& name) const { return m_test.call("service_stop", with(name)); }

  Json list() const { return m_test.call("service_list", {{"workspace_id", id}}); }

  /// Until the service is in that state; then its status.
  Json becomes(const std::string& name, const std::string& state) const {
    Json now;
    for (int i = 0; i < 200; ++i) {
      now = status(name);
      if (now["state"] == state) {
        break;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    EXPECT_EQ(now["state"], state) << now.dump(2);
    return now;
  }

private:
  Contract& m_test;

public:
  std::string id;
};

/// What a connection to that port of this machine says first; nullopt: nobody takes it.
std::optional<std::string> greeting(int port) {
  const os::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) < 0) {
    return std::nullopt;
  }
  std::string text(100, '\0');
  const auto count = ::read(socket.get(), text.data(), text.size());
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  return text;
}

bool closes(int port) {
  for (int i = 0; i < 100 && greeting(port); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return !greeting(port);
}

constexpr const char* k_greeter = "nc -ll -p 4711 -e echo hello";
const Json k_greeter_ready{{"type", "tcp"}, {"address", "127.0.0.1:4711"}};

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
  EXPECT_EQ(exec(services.id, "pidof sleep")["exit_code"], 1) << "the whole group";

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
  EXPECT_EQ(exec(services.id, "pidof sleep")["exit_code"], 1);
  EXPECT_EQ(services.status("late")["state"], "failed");
  EXPECT_EQ(services.list()["running_count"], 0);
}

TEST_P(ContractSandbox, service_readiness_file) {
  const Services services(*this);
  const auto relative = services.start(
      "a", "sleep 0.3; touch up; exec sleep 1000", {{"readiness", {{"type", "file"}, {"path", "up"}}}});
  EXPECT_EQ(relative["state"], "running");
  EXPECT_GE(relative["ready_at"].get<double>() - relative["started_at"].get<double>(), 0.25);
  const auto absolute = services.start(
      "b", "touch /tmp/up; exec sleep 1000", {{"readiness", {{"type", "file"}, {"path", "/tmp/up"}}}});
  EXPECT_EQ(absolute["state"], "running");
}

TEST_P(ContractSandbox, service_readiness_tcp) {
  const Services services(*this);
  const auto started = services.start("a", k_greeter, {{"readiness", k_greeter_ready}});
  EXPECT_EQ(started["state"], "running") << started;
  const auto never = services.start(
      "b", "exec sleep 1000",
      {{"readiness", {{"type", "tcp"}, {"address", "127.0.0.1:1"}}}, {"ready_timeout_seconds", 1}});
  EXPECT_EQ(never["state"], "failed");
  EXPECT_NE(never["last_probe"].get<std::string>().find("127.0.0.1:1"), std::string::npos) << never;
}

TEST_P(ContractSandbox, service_readiness_http) {
  const Services services(*this);
  const auto server = [](const std::string& status, int port) {
    return "while :; do printf 'HTTP/1.0 " + status + "\\r\\nContent-Length: 0\\r\\n\\r\\n' | nc -l -p "
           + std::to_string(port) + " >/dev/null; done";
  };
  const auto started = services.start(
      "a", server("204 fine", 4712),
      {{"readiness", {{"type", "http"}, {"url", "http://127.0.0.1:4712/health"}}}});
  EXPECT_EQ(started["state"], "running") << started;
  const auto sick = services.start(
      "b", server("503 sick", 4713),
      {{"readiness", {{"type", "http"}, {"url", "http://127.0.0.1:4713/"}}}, {"ready_timeout_seconds", 1}});
  EXPECT_EQ(sick["state"], "failed");
}

TEST_P(ContractSandbox, service_readiness_command) {
  const Services services(*this);
  const auto started = services.start(
      "a", "sleep 0.2; echo 7 > n; exec sleep 1000",
      {{"readiness", {{"type", "command"}, {"command", "test \"$(cat n)\" = 7"}}}});
  EXPECT_EQ(started["state"], "running");
  EXPECT_GE(started["ready_at"].get<double>() - started["started_at"].get<double>(), 0.15);
}

TEST_P(ContractSandbox, service_readiness_log) {
  const Services services(*this);
  const auto by_pattern = services.start(
      "a", "echo starting; sleep 0.2; echo listening on 8080; exec sleep 1000",
      {{"readiness", {{"type", "log"}, {"pattern", "on [0-9]+$"}}}});
  EXPECT_EQ(by_pattern["state"], "running");
  EXPECT_GE(by_pattern["ready_at"].get<double>() - by_pattern["started_at"].get<double>(), 0.15);
  const auto by_text = services.start(
      "b", "echo 'a [b' >&2; exec sleep 1000", {{"readiness", {{"type", "log"}, {"text", "a [b"}}}});
  EXPECT_EQ(by_text["state"], "running");
}

TEST_P(ContractSandbox, service_arguments) {
  const Services services(*this);
  const auto refused = [&](const std::string& name, Json more, std::string_view fragment) {
    more.emplace("command", "sleep 1");
    fails("service_start", services.with(name, std::move(more)), ErrorCode::invalid_argument, fragment);
  };
  refused("", {}, "service_name must not be empty");
  refused("a/b", {}, "service_name must match");
  refused("../x", {}, "service_name must match");
  refused("a", {{"command", ""}}, "command must not be empty");
  refused("a", {{"readiness", {{"type", "smoke"}}}}, "one of: file, tcp, http, command");
  refused("a", {{"readiness", {{"type", "file"}}}}, "required for file readiness");
  refused("a", {{"readiness", {{"type", "http"}}}}, "required for http readiness");
  refused("a", {{"readiness", {{"type", "command"}}}}, "required for command readiness");
  refused("a", {{"readiness", {{"type", "tcp"}, {"address", "8080"}}}}, "HOST:PORT format");
  refused("a", {{"ready_timeout_seconds", 0}}, "ready_timeout_seconds must be positive");
  refused("a", {{"ready_interval_ms", 0}}, "ready_interval_ms must be positive");
  refused("a", {{"published_ports", Json::array({{{"guest_port", 70000}}})}}, "between 1 and 65535");
  EXPECT_EQ(services.list()["count"], 0);
  for (const auto* operation : {"service_status", "service_logs", "service_stop"}) {
    fails(operation, services.with(""), ErrorCode::invalid_argument, "service_name must not be empty");
  }
}

TEST_P(ContractSandbox, service_exited) {
  const Services services(*this);
  services.start("a", "sleep 0.3; exit 4");
  const auto ended = services.becomes("a", "exited");
  EXPECT_EQ(ended["exit_code"], 4);
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
  call("workspace_stop", {{"workspace_id", services.id}});
  reopen();
  const auto stopped = services.status("a");
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
  EXPECT_EQ(exec(services.id, "pidof sleep")["exit_code"], 1);
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

TEST_P(ContractSandbox, ws_ports) {
  const Services services(*this);
  const auto started = services.start(
      "greet", k_greeter,
      {{"readiness", k_greeter_ready}, {"published_ports", Json::array({{{"guest_port", 4711}}})}});
  ASSERT_EQ(started["state"], "running") << started;
  ASSERT_EQ(started["published_ports"].size(), 1U);
  const auto port = started["published_ports"][0]["host_port"].get<int>();
  EXPECT_EQ(started["published_ports"][0]["guest_port"], 4711);
  EXPECT_EQ(started["published_ports"][0]["host"], "127.0.0.1");
  EXPECT_EQ(greeting(port), "hello\n");
  reopen();
  EXPECT_EQ(services.status("greet")["published_ports"], started["published_ports"]);

  const Json fixed{
      {"readiness", k_greeter_ready},
      {"published_ports", Json::array({{{"guest_port", 4711}, {"host_port", port}}})}};
  fails(
      "service_start",
      services.with(
          "other", Json{{"command", "exec sleep 1000"}, {"published_ports", fixed["published_ports"]}}),
      ErrorCode::already_exists, "taken");
  EXPECT_NE(services.status("other")["state"], "running") << "a service that cannot be reached is stopped";

  services.stop("greet");
  EXPECT_TRUE(closes(port)) << "it dies with the service";
  services.start("greet", k_greeter, fixed);
  EXPECT_EQ(greeting(port), "hello\n");
  exec(services.id, "kill -KILL $(pidof nc)");
  EXPECT_TRUE(closes(port)) << "however it ends";

  services.becomes("greet", "exited");
  services.start("greet", k_greeter, fixed);
  call("workspace_reset", {{"workspace_id", services.id}});
  EXPECT_TRUE(closes(port)) << "it dies with the reset";
  services.start("greet", k_greeter, fixed);
  EXPECT_EQ(greeting(port), "hello\n");
  call("workspace_stop", {{"workspace_id", services.id}});
  EXPECT_TRUE(closes(port)) << "it dies with the workspace";
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
