#include "agent_fixture.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/fd.hpp>

#include <algorithm>

namespace pyro::agent {
namespace {

Json service(const std::string& script, Json more = Json::object()) {
  more["argv"] = {"/bin/sh", "-c", script};
  if (!more.contains("definition_digest")) {
    more["definition_digest"] = script;
  }
  return more;
}

const Json k_exec_true{{"kind", "exec"}, {"argv", {"true"}}};

int free_port() {
  auto out = os::run_checked(
      {.argv = {
           "python3", "-c",
           "import socket; s=socket.socket(); s.bind(('127.0.0.1',0)); print(s.getsockname()[1])"}});
  return std::stoi(out);
}

Json exists(const std::string& file) {
  return {{"kind", "exec"}, {"argv", {"test", "-e", file}}};
}

/// 0 where there is no such file yet.
int lines_of(const std::string& file) {
  const auto text = os::maybe_read_file(file).value_or("");
  return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

using ServicesTest = AgentTest;

TEST_F(ServicesTest, ReadyAfterASecondWithoutAProbe) {
  auto start = os::now_monotonic();
  auto result = apply_and_wait({{"a", service("sleep 60")}});
  auto took = os::now_monotonic() - start;
  EXPECT_TRUE(result.ok);
  EXPECT_GE(took, milliseconds(950));
  ASSERT_EQ(result.services.size(), 1U);
  EXPECT_EQ(result.services[0].state, ServiceState::ready);
  EXPECT_TRUE(is_running(result.services[0].pid));
  EXPECT_GT(result.services[0].ready_at, result.services[0].started_at);
}

TEST_F(ServicesTest, ExecProbeRunsAsTheServiceDoes) {
  auto flag = m_directory + "/flag";
  auto result = apply_and_wait(
      {{"a", service(
                 "sleep 0.25; touch " + flag + "; sleep 60",
                 {{"env", {{"FLAG", flag}}},
                  {"cwd", m_directory},
                  {"readiness",
                   {{"kind", "exec"}, {"argv", {"/bin/sh", "-c", "test -e $FLAG && test $PWD -ef ."}}}}})}});
  EXPECT_TRUE(result.ok) << result.services[0].reason << result.services[0].last_probe;
}

/// Before one that looks every second has looked twice, the other has looked three times.
TEST_F(ServicesTest, ProbesComeQuicklyAtFirst) {
  const auto probe = [](const std::string& script) {
    return Json{{"kind", "exec"}, {"argv", {"/bin/sh", "-c", script}}};
  };
  auto second = probe("echo >> seldom; test $(wc -l < seldom) -ge 2 && touch over");
  second["interval_ms"] = 1000;
  const auto result = apply_and_wait(
      {{"seldom", service("sleep 60", {{"cwd", m_directory}, {"readiness", second}})},
       {"often", service(
                     "sleep 60 & wait",
                     {{"cwd", m_directory}, {"readiness", probe("echo >> often; test -e over")}})}});
  ASSERT_TRUE(result.ok);
  EXPECT_EQ(lines_of(m_directory + "/seldom"), 2);
  EXPECT_GT(lines_of(m_directory + "/often"), 2);
}

TEST_F(ServicesTest, HttpProbeWantsTheRightStatus) {
  auto port = free_port();
  auto server = fmt::format(
      R"(exec python3 -c '
import http.server, time
start = time.time()
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if time.time() - start > 0.4 else 503)
        self.end_headers()
    def log_message(self, *a): pass
http.server.HTTPServer(("127.0.0.1", {}), H).serve_forever()')",
      port);
  auto result = apply_and_wait(
      {{"web", service(
                   server,
                   {{"readiness",
                     {{"kind", "http"}, {"port", port}, {"path", "/healthz"}, {"status", {{200, 299}}}}}})}});
  ASSERT_TRUE(result.ok) << result.services[0].reason;
  EXPECT_EQ(result.services[0].last_probe, fmt::format("http 127.0.0.1:{}/healthz: status 200", port));
}

TEST_F(ServicesTest, TcpProbe) {
  auto port = free_port();
  auto server = fmt::format(
      "sleep 0.2; exec python3 -c 'import socket,time; s=socket.create_server((\"127.0.0.1\",{})); "
      "time.sleep(60)'",
      port);
  auto result = apply_and_wait({{"db", service(server, {{"readiness", {{"kind", "tcp"}, {"port", port}}}})}});
  EXPECT_TRUE(result.ok) << result.services[0].reason;
}

TEST_F(ServicesTest, FileProbeWantsANewFile) {
  auto file = m_directory + "/pid-file";
  os::run_checked({.argv = {"touch", "-d", "2000-01-01", file}});
  Json readiness{{"kind", "file"}, {"path", "pid-file"}, {"deadline_ms", 600}};
  auto old_file =
      apply_and_wait({{"a", service("sleep 60", {{"cwd", m_directory}, {"readiness", readiness}})}});
  EXPECT_FALSE(old_file.ok);
  EXPECT_NE(old_file.services[0].last_probe.find("older"), std::string::npos);
  auto fresh = apply_and_wait(
      {{"a",
        service("sleep 0.1; touch pid-file; sleep 60", {{"cwd", m_directory}, {"readiness", readiness}})}});
  EXPECT_TRUE(fresh.ok) << fresh.services[0].reason;
}

TEST_F(ServicesTest, LogProbeSeesTextAndPatterns) {
  auto script = "echo starting; sleep 0.2; echo 'server listening on :123' >&2; sleep 60";
  auto text = apply_and_wait(
      {{"a", service(script, {{"readiness", {{"kind", "log"}, {"pattern", "listening on"}}}})}});
  EXPECT_TRUE(text.ok);
  auto pattern = apply_and_wait(
      {{"b",
        service(script, {{"readiness", {{"kind", "log"}, {"pattern", "on :[0-9]+$"}, {"regex", true}}}})}});
  EXPECT_TRUE(pattern.ok);
}

TEST_F(ServicesTest, FailsAtOnceWhenItCannotStart) {
  auto result = apply_and_wait(
      {{"a", service(
                 "echo no good; exit 3",
                 {{"readiness", {{"kind", "tcp"}, {"port", 1}}}, {"hint", "look at the port"}})}});
  EXPECT_FALSE(result.ok);
  auto& status = result.services[0];
  EXPECT_EQ(status.state, ServiceState::failed);
  EXPECT_EQ(status.exit_code, 3);
  EXPECT_EQ(status.log_tail, std::vector<std::string>{"no good"});
  EXPECT_NE(status.reason.find("before it was ready"), std::string::npos) << status.reason;
  EXPECT_NE(status.reason.find("look at the port"), std::string::npos) << status.reason;

  auto missing = apply_and_wait({{"b", {{"argv", {"no-such-program"}}, {"readiness", k_exec_true}}}});
  EXPECT_EQ(missing.services[0].state, ServiceState::failed);
  EXPECT_EQ(missing.services[0].exit_code, 127);
  EXPECT_NE(missing.services[0].reason.find("not found"), std::string::npos);
}

TEST_F(ServicesTest, FailsAtTheDeadline) {
  auto result = apply_and_wait(
      {{"a",
        service(
            "sleep 60", {{"readiness", {{"kind", "exec"}, {"argv", {"false"}}, {"deadline_ms", 400}}}})}});
  EXPECT_FALSE(result.ok);
  EXPECT_EQ(result.services[0].state, ServiceState::failed);
  EXPECT_NE(
      result.services[0].reason.find("not ready within 400 ms; last probe: exec false: exit code 1"),
      std::string::npos)
      << result.services[0].reason;
  auto pid = result.services[0].pid;
  EXPECT_TRUE(run_until([&] { return status("a").pid == 0; }));
  EXPECT_TRUE(pid == 0 || !is_running(pid));
  EXPECT_EQ(status("a").state, ServiceState::failed);
}

TEST_F(ServicesTest, ProbesThatHangAreKilled) {
  auto result = apply_and_wait(
      {{"a", service(
                 "sleep 60", {{"readiness",
                               {{"kind", "exec"},
                                {"argv", {"/bin/sh", "-c", "echo $$ >> " + m_directory + "/pids; sleep 60"}},
                                {"timeout_ms", 150},
                                {"deadline_ms", 700}}}})}});
  EXPECT_FALSE(result.ok);
  EXPECT_NE(result.services[0].reason.find("no answer within 150 ms"), std::string::npos);
  std::istringstream pids(os::read_file(m_directory + "/pids"));
  int count = 0;
  for (int pid = 0; pids >> pid; ++count) {
    EXPECT_TRUE(run_until([&] { return !is_running(pid); }, milliseconds(1000)));
  }
  EXPECT_GE(count, 2);
}

TEST_F(ServicesTest, StartInOrderOfDependencies) {
  auto log = m_directory + "/order";
  auto result = apply_and_wait(
      {{"api", service(
                   "echo api >> " + log + "; sleep 60",
                   {{"depends_on", {{"migrate", {{"condition", "completed"}}}}},
                    {"readiness", {{"kind", "exec"}, {"argv", {"grep", "-q", "api", log}}}}})},
       {"migrate", service(
                       "sleep 0.1; echo migrate >> " + log,
                       {{"oneshot", true}, {"depends_on", {{"db", {{"condition", "ready"}}}}}})},
       {"db", service(
                  "sleep 0.3; echo db >> " + log + "; sleep 60",
                  {{"readiness", {{"kind", "exec"}, {"argv", {"grep", "-q", "db", log}}}}})}});
  EXPECT_TRUE(result.ok);
  EXPECT_EQ(os::read_file(log), "db\nmigrate\napi\n");
  EXPECT_EQ(status("migrate").state, ServiceState::completed);
  EXPECT_EQ(status("api").state, ServiceState::ready);
}

TEST_F(ServicesTest, AFailedDependencyFailsItsDependents) {
  auto result = apply_and_wait(
      {{"api", service("sleep 60", {{"depends_on", {{"migrate", {{"condition", "completed"}}}}}})},
       {"migrate", service("exit 2", {{"oneshot", true}})}});
  EXPECT_FALSE(result.ok);
  EXPECT_TRUE(run_until([&] { return status("api").state == ServiceState::failed; }));
  EXPECT_NE(status("api").reason.find("migrate"), std::string::npos);
  EXPECT_EQ(status("api").pid, 0);
}

TEST_F(ServicesTest, RestartsOnFailureUntilTheBudgetIsSpent) {
  auto count = m_directory + "/count";
  auto result = apply_and_wait(
      {{"a", service("echo x >> " + count + "; exit 1", {{"restart", "on-failure"}, {"max_restarts", 2}})}});
  EXPECT_FALSE(result.ok);
  EXPECT_EQ(result.services[0].restarts, 2);
  EXPECT_EQ(result.services[0].state, ServiceState::failed);
  EXPECT_NE(result.services[0].reason.find("after 2 restarts"), std::string::npos)
      << result.services[0].reason;
  EXPECT_EQ(os::read_file(count), "x\nx\nx\n");
}

TEST_F(ServicesTest, WaitsOnWhileRestartsRemain) {
  auto count = m_directory + "/count";
  auto result = apply_and_wait(
      {{"a",
        service(
            "echo x >> " + count + "; test $(wc -l < " + count + ") -ge 3 || exit 1; sleep 60",
            {{"restart", "on-failure"},
             {"readiness",
              {{"kind", "exec"}, {"argv", {"/bin/sh", "-c", "test $(wc -l < " + count + ") -ge 3"}}}}})}});
  EXPECT_TRUE(result.ok) << result.services[0].reason;
  EXPECT_EQ(result.services[0].restarts, 2);
}

TEST_F(ServicesTest, ADeadServiceIsSeenAndAKilledOneRestarted) {
  apply_and_wait(
      {{"dies", service("sleep 0.4; exit 5", {{"readiness", k_exec_true}})},
       {"lives", service("sleep 60", {{"readiness", k_exec_true}, {"restart", "always"}})}});
  EXPECT_TRUE(run_until([&] { return status("dies").state == ServiceState::exited; }));
  EXPECT_EQ(status("dies").exit_code, 5);
  auto before = status("lives");
  ASSERT_TRUE(is_running(before.pid));
  ::kill(static_cast<pid_t>(before.pid), SIGKILL);
  EXPECT_TRUE(run_until([&] {
    auto now = status("lives");
    return now.state == ServiceState::ready && now.pid != before.pid;
  }));
  EXPECT_EQ(status("lives").restarts, 1);
}

TEST_F(ServicesTest, LivenessRestarts) {
  auto sick = m_directory + "/sick";
  auto looks = m_directory + "/looks";
  apply_and_wait(
      {{"a", service(
                 "sleep 60", {{"readiness", k_exec_true},
                              {"restart", "on-failure"},
                              {"liveness",
                               {{"kind", "exec"},
                                {"argv", {"sh", "-c", "echo >> " + looks + "; test ! -e " + sick}},
                                {"interval_ms", 50},
                                {"failures", 2}}}})}});
  auto before = status("a");
  EXPECT_TRUE(run_until([&] { return lines_of(looks) >= 3; }));
  EXPECT_EQ(status("a").pid, before.pid);
  os::run_checked({.argv = {"touch", sick}});
  EXPECT_TRUE(run_until([&] { return status("a").restarts >= 1; }));
  os::run_checked({.argv = {"rm", sick}});
  EXPECT_TRUE(run_until([&] { return status("a").state == ServiceState::ready; }));
  EXPECT_NE(status("a").pid, before.pid);
}

TEST_F(ServicesTest, RestartsAgainAndAgainBesideAFailingLiveness) {
  auto fine = m_directory + "/fine";
  auto looks = m_directory + "/looks";
  ask(protocol::path::k_services_apply,
      {{"services",
        {{"again", service("sleep 0.05; exit 1", {{"restart", "always"}, {"max_restarts", 1000}})},
         {"alive", service(
                       "touch " + fine + "; exec sleep 1000",
                       {{"restart", "on-failure"},
                        {"ready_after_ms", 200},
                        {"liveness",
                         {{"kind", "exec"},
                          {"argv", {"sh", "-c", "echo >> " + looks + "; test -e " + fine}},
                          {"timeout_ms", 5000},
                          {"interval_ms", 20},
                          {"failures", 1}}}})}}}});
  for (int round = 1; round <= 3; ++round) {
    EXPECT_TRUE(run_until([&] { return status("alive").state == ServiceState::ready; }));
    const auto looked = lines_of(looks);
    EXPECT_TRUE(run_until([&] { return lines_of(looks) > looked; }));
    os::run_checked({.argv = {"rm", "-f", fine}});
    EXPECT_TRUE(run_until([&] { return status("alive").restarts >= round; }));
  }
  EXPECT_GE(status("again").restarts, 3);
}

TEST_F(ServicesTest, StopsWithTheSignalAndTheGrace) {
  apply_and_wait(
      {{"polite", service(
                      "trap 'echo bye; exit 0' INT; touch polite; while :; do sleep 0.05; done",
                      {{"cwd", m_directory},
                       {"readiness", exists("polite")},
                       {"stop", {{"signal", "SIGINT"}, {"grace_ms", 600'000}}}})},
       {"deaf",
        service(
            "trap '' TERM; sh -c 'trap \"\" TERM; touch deaf; while :; do sleep 1; done' & while :; do sleep "
            "1; done",
            {{"cwd", m_directory}, {"readiness", exists("deaf")}, {"stop", {{"grace_ms", 200}}}})}});
  auto pids = std::pair(status("polite").pid, status("deaf").pid);
  auto result = protocol::services_result_from_json(ask(protocol::path::k_services_stop, {{"all", true}}));
  EXPECT_FALSE(is_running(pids.first));
  EXPECT_FALSE(is_running(pids.second));
  EXPECT_EQ(status("polite").state, ServiceState::stopped);
  EXPECT_EQ(status("polite").stop_reason, "sigint");
  EXPECT_EQ(status("polite").log_tail, std::vector<std::string>{"bye"});
  EXPECT_EQ(status("deaf").stop_reason, "sigkill");
  EXPECT_NO_THROW(ask(protocol::path::k_services_stop, {{"names", {"deaf"}}})) << "gone already is no error";
  EXPECT_THROW(ask(protocol::path::k_services_stop, {{"names", {"unknown"}}}), Error);
  ask(protocol::path::k_services_start, {{"names", {"polite"}}});
  EXPECT_TRUE(run_until([&] { return status("polite").state == ServiceState::ready; }));
}

TEST_F(ServicesTest, StopTakesDependentsFirst) {
  auto order = m_directory + "/order";
  auto one = [&](const std::string& name, Json more) {
    more["readiness"] = {{"kind", "log"}, {"pattern", "up"}};
    return service(
        "trap 'sleep 0.1; echo " + name + " >> " + order
            + "; exit 0' TERM; echo up; while :; do sleep 0.02; done",
        std::move(more));
  };
  auto result = apply_and_wait(
      {{"db", one("db", {})}, {"api", one("api", {{"depends_on", {{"db", Json::object()}}}})}});
  ASSERT_TRUE(result.ok);
  ask(protocol::path::k_services_stop, {{"names", {"db"}}});
  EXPECT_EQ(os::read_file(order), "api\ndb\n");
  EXPECT_EQ(status("api").state, ServiceState::stopped);
}

TEST_F(ServicesTest, ApplyRestartsJustWhatChanged) {
  auto build = [&](const std::string& digest) {
    return Json{
        {"db", service("sleep 60", {{"readiness", k_exec_true}, {"definition_digest", digest}})},
        {"api",
         service("sleep 60", {{"readiness", k_exec_true}, {"depends_on", {{"db", {{"restart", true}}}}}})},
        {"other",
         service("sleep 60", {{"readiness", k_exec_true}, {"depends_on", {{"db", {{"restart", false}}}}}})}};
  };
  ASSERT_TRUE(apply_and_wait(build("1")).ok);
  auto db = status("db").pid;
  auto api = status("api").pid;
  auto other = status("other").pid;
  ASSERT_TRUE(apply_and_wait(build("1")).ok);
  EXPECT_EQ(status("db").pid, db);
  auto second = ask(protocol::path::k_services_apply, {{"services", build("2")}});
  EXPECT_EQ(second["restarted"], Json({"api", "db"}));
  ASSERT_TRUE(protocol::services_result_from_json(ask(protocol::path::k_services_wait, Json::object())).ok);
  EXPECT_NE(status("db").pid, db);
  EXPECT_NE(status("api").pid, api);
  EXPECT_EQ(status("other").pid, other);
  EXPECT_EQ(status("db").definition_digest, "2");

  auto fewer = build("2");
  fewer.erase("other");
  ask(protocol::path::k_services_apply, {{"services", fewer}});
  EXPECT_TRUE(run_until([&] { return !is_running(other); }));
  EXPECT_THROW(status("other"), Error);
  EXPECT_NE(status("db").pid, 0);
}

TEST_F(ServicesTest, OneshotsHaveATimeLimitAndAreNotRepeated) {
  auto count = m_directory + "/count";
  Json services{{"job", service("echo x >> " + count, {{"oneshot", true}})}};
  EXPECT_TRUE(apply_and_wait(services).ok);
  EXPECT_TRUE(apply_and_wait(services).ok);
  EXPECT_EQ(os::read_file(count), "x\n");
  auto slow = apply_and_wait({{"slow", service("sleep 60", {{"oneshot", true}, {"timeout_ms", 200}})}});
  EXPECT_FALSE(slow.ok);
  EXPECT_NE(slow.services[0].reason.find("not completed within 200 ms"), std::string::npos);
}

TEST_F(ServicesTest, WaitTellsEveryChange) {
  ask(protocol::path::k_services_apply,
      {{"services",
        {{"a",
          service("sleep 0.3; echo up; sleep 60", {{"readiness", {{"kind", "log"}, {"pattern", "up"}}}})}}}});
  auto reply = call(protocol::path::k_services_wait, {{"names", {"a"}}});
  ASSERT_TRUE(run_until([&] { return reply->is_over(); }));
  ASSERT_GE(reply->messages.size(), 2U);
  EXPECT_EQ(reply->messages.front()["service"]["state"], "starting");
  EXPECT_EQ(reply->messages.back()["service"]["state"], "ready");
  auto nothing = call(protocol::path::k_services_wait, {{"names", {"b"}}});
  ASSERT_TRUE(run_until([&] { return nothing->is_over(); }));
  EXPECT_EQ(nothing->error->code(), ErrorCode::not_found);
}

TEST_F(ServicesTest, LogsHaveTailsStreamsAndFollowers) {
  apply_and_wait(
      {{"a", service(
                 "echo one; echo two; echo three >&2; echo four; sleep 0.5; echo five; sleep 60",
                 {{"readiness", {{"kind", "log"}, {"pattern", "four"}}}})}});
  auto logs = [&](const Json& request) {
    auto reply = call(protocol::path::k_services_logs, request);
    EXPECT_TRUE(run_until([&] { return reply->is_over(); }));
    return reply;
  };
  auto all = logs({{"name", "a"}, {"tail", 100}});
  EXPECT_EQ(all->out, "one\ntwo\nfour\n");
  EXPECT_EQ(all->err, "three\n");
  EXPECT_FALSE(get_bool(*all->result, "truncated"));
  auto last = logs({{"name", "a"}, {"tail", 1}, {"stream", "stdout"}});
  EXPECT_EQ(last->out, "four\n");
  EXPECT_TRUE(get_bool(*last->result, "truncated"));
  auto follower = call(protocol::path::k_services_logs, {{"name", "a"}, {"tail", 0}, {"follow", true}});
  EXPECT_TRUE(run_until([&] { return follower->out == "five\n"; })) << follower->out;
  follower->call->cancel();
}

TEST_F(ServicesTest, AFloodOfLogsIsBoundedAndSaysSo) {
  apply_and_wait(
      {{"a", service(
                 "i=0; head -c 3000000 /dev/zero | tr '\\0' x | fold -w 100; echo; echo end; sleep 60",
                 {{"readiness", {{"kind", "log"}, {"pattern", "end"}}}})}});
  auto reply = call(protocol::path::k_services_logs, {{"name", "a"}});
  ASSERT_TRUE(run_until([&] { return reply->is_over(); }));
  ASSERT_EQ(reply->messages.size(), 1U);
  EXPECT_GT(get_int(reply->messages[0], "dropped_bytes"), 2500000);
  EXPECT_LT(reply->out.size(), 256U << 10);
  EXPECT_TRUE(reply->out.ends_with("end\n"));
}

} // namespace
} // namespace pyro::agent
