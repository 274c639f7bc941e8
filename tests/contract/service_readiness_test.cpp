// When services by hand are ready, and what is refused.
#include "services.hpp"

#include <pyro/base/error.hpp>

namespace pyro::contract {
namespace {

TEST_P(ContractSandbox, service_readiness_file) {
  const Services services(*this);
  const auto relative = services.start(
      "a", "sleep 0.3; touch up; exec sleep 1000", {{"readiness", {{"type", "file"}, {"path", "up"}}}});
  EXPECT_EQ(relative["state"], "running");
  EXPECT_EQ(relative["readiness"]["path"], "/workspace/up");
  EXPECT_EQ(services.status("a")["readiness"]["path"], "/workspace/up");
  EXPECT_GE(relative["ready_at"].get<double>() - relative["started_at"].get<double>(), 0.25);
  const auto absolute = services.start(
      "b", "touch /tmp/up; exec sleep 1000", {{"readiness", {{"type", "file"}, {"path", "/tmp/up"}}}});
  EXPECT_EQ(absolute["state"], "running");
  EXPECT_EQ(absolute["readiness"]["path"], "/tmp/up");
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

TEST_P(ContractSandbox, service_readiness_tcp__of_another) {
  const Services services(*this);
  services.start("first", k_greeter, {{"readiness", k_greeter_ready}});
  for (const auto& readiness : {k_greeter_ready, Json{{"type", "http"}, {"url", "http://127.0.0.1:4711/"}}}) {
    const auto second =
        services.start("second", "exec sleep 1000", {{"readiness", readiness}, {"ready_timeout_seconds", 1}});
    EXPECT_EQ(second["state"], "failed") << second;
    EXPECT_TRUE(pyro::testing::contains(
        second["last_probe"].get<std::string>(), "the service first listens there, not second"))
        << second;
  }
  services.stop("first");
  const auto again = services.start("second", k_greeter, {{"readiness", k_greeter_ready}});
  EXPECT_EQ(again["state"], "running") << again;
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
  refused(" \t ", {}, "service_name must not be empty");
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
    fails(operation, services.with("  "), ErrorCode::invalid_argument, "service_name must not be empty");
  }
}

} // namespace
} // namespace pyro::contract
