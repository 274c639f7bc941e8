// What each field of pyro.yaml does: readiness, liveness and HTTP probes.
#include "fields.hpp"

namespace pyro::testing {
namespace {

/// A service with this probe; what it runs must have no single quotes.
std::string service(const std::string& command, const std::string& probe, const std::string& more = "") {
  return "services: {s: {command: '" + command + "', " + probe + more + "}}\n";
}

// --- readiness: apply waits for it

TEST_F(Fields, readiness__exec) {
  up(service("sleep 0.3; touch /tmp/ready; exec sleep 1000", "readiness: {exec: test -e /tmp/ready}"));
  EXPECT_EQ(see("ls /tmp/ready"), "/tmp/ready");
}

TEST_F(Fields, readiness__tcp) {
  up(service("sleep 0.3; touch /tmp/ready; exec httpd -f -p 8080 -h /etc", "readiness: {tcp: 8080}"));
  EXPECT_EQ(see("ls /tmp/ready"), "/tmp/ready");
}

TEST_F(Fields, readiness__file) {
  up(service("sleep 0.3; touch /tmp/other /tmp/ready; exec sleep 1000", "readiness: {file: /tmp/ready}"));
  EXPECT_EQ(see("ls /tmp/other"), "/tmp/other");
}

TEST_F(Fields, readiness__log) {
  up(service(
      "sleep 0.3; touch /tmp/ready; echo now listening; exec sleep 1000", "readiness: {log: now listening}"));
  EXPECT_EQ(see("ls /tmp/ready"), "/tmp/ready");
}

TEST_F(Fields, readiness__interval) {
  const auto third_try = [](const std::string& interval) {
    return service(
        "exec sleep 1000",
        "readiness: {exec: \"echo x >> /tmp/tries; [ $(wc -l < /tmp/tries) -ge 3 ]\", deadline: 5s, "
        "interval: "
            + interval + "}");
  };
  up(third_try("50ms"));
  EXPECT_EQ(see("wc -l < /tmp/tries"), "3");
  expect_run(0, {"destroy", "--yes"});
  file("", third_try("3s"));
  EXPECT_EQ(run({"apply", "--yes"}).status, 6) << "there is no third try in five seconds";
  file("", third_try("6s"));
  const auto refused = run({"validate"});
  EXPECT_EQ(refused.status, 65) << refused;
  EXPECT_TRUE(contains(refused.all(), "'deadline' is over before a second try")) << refused;
}

TEST_F(Fields, readiness__timeout) {
  const auto second_try = [](const std::string& timeout) {
    return service(
        "exec sleep 1000", "readiness: {exec: \"[ -e /tmp/tried ] || { touch /tmp/tried; sleep 600; }\", "
                           "deadline: 4s, interval: 50ms, timeout: "
                               + timeout + "}");
  };
  up(second_try("100ms"));
  expect_run(0, {"destroy", "--yes"});
  file("", second_try("4s"));
  EXPECT_EQ(run({"apply", "--yes"}).status, 6) << "its first try has not ended yet";
}

TEST_F(Fields, readiness__deadline) {
  file("", service("exec sleep 1000", "readiness: {file: /never, deadline: 300ms}"));
  EXPECT_EQ(run({"apply", "--yes"}).status, 6);
}

TEST_F(Fields, readiness__successes) {
  up(service("exec sleep 1000", "readiness: {exec: echo x >> /tmp/tries, interval: 20ms, successes: 4}"));
  EXPECT_EQ(see("wc -l < /tmp/tries"), "4");
}

TEST_F(Fields, readiness__watch) {
  const auto is_ready = [&] {
    return read({"status"}).at("services").at(0).at("state") == "ready";
  };
  up(service(
      "touch /tmp/ready; exec sleep 1000", "readiness: {file: /tmp/ready, interval: 50ms, watch: true}"));
  EXPECT_TRUE(is_ready());
  inside("rm /tmp/ready", m_options);
  EXPECT_TRUE(eventually([&] { return !is_ready(); }));
  inside("touch /tmp/ready", m_options);
  EXPECT_TRUE(eventually(is_ready));
}

// --- liveness: where it fails, the service is started again

std::string alive(const std::string& command, const std::string& probe) {
  return service(
      "echo x >> /tmp/starts; " + command, "liveness: {" + probe + ", interval: 50ms, failures: 2}",
      ", restart: always");
}

TEST_F(Fields, liveness__exec) {
  up(alive("rm -f /tmp/sick; exec sleep 1000", "exec: test ! -e /tmp/sick"));
  inside("touch /tmp/sick", m_options);
  EXPECT_TRUE(eventually([&] { return see("wc -l < /tmp/starts") == "2"; }));
}

TEST_F(Fields, liveness__tcp) {
  up(alive("nc -ll -p 8080 -e true & echo $! > /tmp/pid; exec sleep 1000", "tcp: 8080"));
  inside("kill $(cat /tmp/pid)", m_options);
  EXPECT_TRUE(eventually([&] { return see("wc -l < /tmp/starts") == "2"; }));
}

TEST_F(Fields, liveness__file) {
  up(alive("touch /tmp/well; exec sleep 1000", "file: /tmp/well"));
  inside("rm /tmp/well", m_options);
  EXPECT_TRUE(eventually([&] { return see("wc -l < /tmp/starts") == "2"; }));
}

TEST_F(Fields, liveness__interval) {
  const auto probe = [](const std::string& name, const std::string& interval) {
    return "  " + name + ": {command: sleep 1000, liveness: {exec: echo x >> /tmp/" + name
           + ", interval: " + interval + "}}\n";
  };
  up("services:\n" + probe("often", "20ms") + probe("seldom", "1h"));
  EXPECT_TRUE(eventually([&] { return see("wc -l < /tmp/often").size() > 1; })) << "ten times and more";
  EXPECT_LE(see("cat /tmp/seldom 2>/dev/null").size(), 1U);
}

TEST_F(Fields, liveness__timeout) {
  const auto hanging = [](const std::string& name, const std::string& timeout) {
    return "  " + name + ": {command: 'echo x >> /tmp/" + name
           + "; exec sleep 1000', restart: always, liveness: {exec: sleep 600, interval: 50ms, failures: 1, "
             "timeout: "
           + timeout + "}}\n";
  };
  up("services:\n" + hanging("short", "100ms") + hanging("long", "600s"));
  EXPECT_TRUE(eventually([&] { return see("wc -l < /tmp/short") != "1"; }));
  EXPECT_EQ(see("wc -l < /tmp/long"), "1");
}

TEST_F(Fields, liveness__failures) {
  up(service(
      "cp /tmp/failed /tmp/before; rm -f /tmp/sick; exec sleep 1000",
      "liveness: {exec: \"[ ! -e /tmp/sick ] || { echo x >> /tmp/failed; false; }\", interval: 20ms, "
      "failures: 4}",
      ", restart: always"));
  inside("touch /tmp/sick", m_options);
  EXPECT_EQ(written("/tmp/before"), "x\nx\nx\nx");
}

// --- HTTP

/// A server that notes each request in /tmp/asked and answers with this status.
std::string answers(const std::string& status, const std::string& address = "-p 8080") {
  return "exec nc -ll " + address + " -e sh /bin/answer.sh \"" + status + "\"";
}

/// It becomes ready by what it answers.
std::string answering(const std::string& server, const std::string& http) {
  return service(server, "readiness: {http: {" + http + "}, deadline: 3s}");
}

TEST_F(Fields, http__host) {
  const std::string server = "exec httpd -f -p 127.0.0.2:8080 -h /etc";
  up(answering(server, "host: 127.0.0.2, port: 8080, path: /group"));
  expect_run(0, {"destroy", "--yes"});
  file("", answering(server, "port: 8080, path: /group"));
  EXPECT_EQ(run({"apply", "--yes"}).status, 6) << "it is not on 127.0.0.1";
}

TEST_F(Fields, http__port) {
  up(answering(answers("200 OK", "-p 8099"), "port: 8099"));
  EXPECT_TRUE(contains(see("cat /tmp/asked"), ":8099"));
}

TEST_F(Fields, http__scheme) {
  refused(answering("sleep 1000", "port: 1, scheme: https"), 65, "none of: http");
}

TEST_F(Fields, http__path) {
  up(answering(answers("200 OK"), "port: 8080, path: \"/healthz?full=1\""));
  EXPECT_TRUE(contains(see("cat /tmp/asked"), "GET /healthz?full=1 HTTP/1.1"));
}

TEST_F(Fields, http__method) {
  up(answering(answers("200 OK"), "port: 8080, method: HEAD"));
  EXPECT_TRUE(contains(see("cat /tmp/asked"), "HEAD / HTTP/1.1"));
}

TEST_F(Fields, http__status) {
  up(answering(answers("503 Busy"), "port: 8080, status: 500-599"));
  expect_run(0, {"destroy", "--yes"});
  file("", answering(answers("503 Busy"), "port: 8080"));
  EXPECT_EQ(run({"apply", "--yes"}).status, 6);
}

TEST_F(Fields, http__headers) {
  up(answering(answers("200 OK"), "port: 8080, headers: {X-Probe: ours}"));
  EXPECT_TRUE(contains(see("cat /tmp/asked"), "X-Probe: ours"));
}

} // namespace
} // namespace pyro::testing
