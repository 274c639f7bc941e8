#include <pyro/base/error.hpp>
#include <pyro/protocol/requests.hpp>
#include <pyro/protocol/service_requests.hpp>

#include <gtest/gtest.h>

namespace pyro::protocol {
namespace {

TEST(Base64, RoundTripsEveryLength) {
  EXPECT_EQ(base64_encode("foob"), "Zm9vYg==");
  EXPECT_EQ(base64_encode("fooba"), "Zm9vYmE=");
  EXPECT_EQ(base64_encode("foobar"), "Zm9vYmFy");
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
    bytes.push_back(static_cast<char>(i * 7));
  }
  for (auto bad : {"a", "ab=c", "a===", "****", "Zm9vYg= ", "Zm9v\n"}) {
    EXPECT_THROW(base64_decode(bad), Error) << bad;
  }
}

TEST(Requests, ExecRoundTrips) {
  ExecRequest request;
  request.argv = {"sh", "-c", "true"};
  request.cwd = "/workspace";
  request.env = {{"A", "1"}};
  request.user = "node";
  request.wants_stdin = true;
  request.pty = TerminalSize{120, 30};
  request.timeout_ms = 500;
  EXPECT_EQ(to_json(exec_request_from_json(to_json(request))), to_json(request));
}

TEST(Requests, ExecRefusesWhatCannotBeMeant) {
  auto refuse = [](const char* text) {
    EXPECT_THROW(exec_request_from_json(Json::parse(text)), Error) << text;
  };
  refuse(R"({"argv":[]})");
  refuse(R"({"argv":[""]})");
  refuse(R"({"argv":"ls"})");
  refuse(R"({"argv":["a\u0000b"]})");
  refuse(R"({"argv":["a"],"env":{"A=B":"c"}})");
  refuse(R"({"argv":["a"],"env":{"":"c"}})");
  refuse(R"({"argv":["a"],"timeout_ms":-1})");
  refuse(R"({"argv":["a"],"pty":{"cols":0,"rows":1}})");
  refuse(R"({"argv":["a"],"cwd":7})");
}

TEST(Requests, NamesStayNames) {
  for (auto bad : {"", "../x", ".x", "-x", "a/b", "a b", "a\n"}) {
    EXPECT_THROW(check_name(bad, "the service"), Error) << bad;
  }
  EXPECT_THROW(check_name(std::string(65, 'a'), "the service"), Error);
  EXPECT_NO_THROW(check_name("db-1.2_x", "the service"));
}

TEST(Requests, ServicesRoundTrip) {
  ServicesApply apply;
  auto& db = apply.services["db"];
  db.argv = {"postgres"};
  db.user = "postgres:postgres";
  db.restart = RestartPolicy::on_failure;
  db.stop_signal = "SIGINT";
  db.definition_digest = "abc";
  db.readiness = Probe{};
  db.readiness->argv = {"pg_isready"};
  auto& api = apply.services["api"];
  api.argv = {"node"};
  api.depends_on["db"] = {DependencyCondition::completed, true};
  api.liveness = Probe{};
  api.liveness->kind = ProbeKind::http;
  api.liveness->port = 80;
  api.liveness->status = {{200, 204}, {301, 301}};
  EXPECT_EQ(to_json(services_apply_from_json(to_json(apply))), to_json(apply));
}

TEST(Requests, ServicesMustFitTogether) {
  auto refuse = [](const char* text, const char* part) {
    try {
      services_apply_from_json(Json::parse(text));
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  };
  refuse(R"({"services":{"a":{"argv":["x"],"depends_on":{"b":{}}}}})", "does not exist");
  refuse(
      R"({"services":{"a":{"argv":["x"],"depends_on":{"b":{}}},"b":{"argv":["x"],"depends_on":{"a":{}}}}})",
      "circle");
  refuse(R"({"services":{"a":{"argv":["x"],"depends_on":{"a":{}}}}})", "circle");
  refuse(R"({"services":{"../a":{"argv":["x"]}}})", "must match");
  refuse(R"({"services":{"a":{"argv":["x"],"restart":"maybe"}}})", "no, on-failure, always");
  refuse(R"({"services":{"a":{"argv":["x"],"readiness":{"kind":"smell"}}}})", "exec, http, tcp, file, log");
  refuse(R"({"services":{"a":{"argv":["x"],"readiness":{"kind":"tcp","port":70000}}}})", "port");
  refuse(
      R"({"services":{"a":{"argv":["x"],"readiness":{"kind":"http","port":1,"path":"/\r\nX: y"}}}})",
      "control");
}

TEST(Requests, StatusRoundTrips) {
  ServiceStatus status;
  status.name = "db";
  status.state = ServiceState::failed;
  status.exit_code = 3;
  status.log_tail = {"a", "b"};
  ServicesResult result{true, {status}};
  EXPECT_EQ(to_json(services_result_from_json(to_json(result))), to_json(result));
}

} // namespace
} // namespace pyro::protocol
