// Flags of `pyro workspace service …`.
#include "flags.hpp"

#include <algorithm>

namespace pyro::testing {
namespace {

/// `pyro workspace service start ID NAME FLAGS -- COMMAND`
Result service(
    Flags& test, const std::string& id, const std::string& name, const Arguments& flags,
    const std::string& command) {
  return test.with({"workspace", "service", "start", id, name, "--", command}, flags);
}

/// Is one ready that does it, and one not that does something else?
void is_ready_when(
    Flags& test, const Arguments& flags, const std::string& command, const std::string& other) {
  const auto id = test.made({"--seed-path", "seed"});
  auto waiting = flags;
  waiting.insert(waiting.end(), {"--ready-timeout-seconds", "1"});
  EXPECT_EQ(service(test, id, "control", {}, other).status, 0);
  EXPECT_EQ(service(test, id, "other", waiting, other).status, 6);
  const auto one = service(test, id, "one", flags, command);
  EXPECT_EQ(one.status, 0) << one;
}

TEST_F(Flags, workspace_service_start__ready_file) {
  is_ready_when(*this, {"--ready-file", "here"}, "sleep 0.2; touch here; sleep 1000", "sleep 1000");
}

TEST_F(Flags, workspace_service_start__ready_tcp) {
  is_ready_when(*this, {"--ready-tcp", "127.0.0.1:8000"}, "httpd -f -p 127.0.0.1:8000", "sleep 1000");
}

TEST_F(Flags, workspace_service_start__ready_http) {
  is_ready_when(
      *this, {"--ready-http", "http://127.0.0.1:8000/first"},
      "killall httpd; until httpd -f -p 8000; do sleep 0.1; done",
      "mkdir /tmp/none; httpd -f -p 8000 -h /tmp/none");
}

TEST_F(Flags, workspace_service_start__ready_command) {
  is_ready_when(*this, {"--ready-command", "test -e here"}, "touch here; sleep 1000", "sleep 1000");
}

TEST_F(Flags, workspace_service_start__ready_log) {
  is_ready_when(
      *this, {"--ready-log", "on [0-9]+$"}, "echo listening on 80; sleep 1000",
      "echo listening on none; sleep 1000");
}

TEST_F(Flags, workspace_service_start__ready_timeout_seconds) {
  const auto id = made();
  auto control = start(
      {"workspace", "service", "start", id, "control", "--ready-file", "one", "--",
       "sleep 1.4; touch one; sleep 1000"});
  const auto late = service(
      *this, id, "late", {"--ready-file", "two", "--ready-timeout-seconds", "1"},
      "sleep 1.4; touch two; sleep 1000");
  EXPECT_EQ(late.status, 6) << late;
  EXPECT_EQ(control.wait().shell_status(), 0);
}

/// One looks all the time for what the other's third look leaves.
TEST_F(Flags, workspace_service_start__ready_interval_ms) {
  const auto id = made();
  auto often = start(
      {"workspace", "service", "start", id, "often", "--ready-command", "echo >> often; test -e over",
       "--ready-interval-ms", "10", "--", "sleep 1000"});
  const auto looks = [&](const std::string& name) {
    return std::stoi(expect(0, {"workspace", "exec", id, "--", "sh", "-c", "cat " + name + " | wc -l"}).out);
  };
  EXPECT_TRUE(eventually([&] { return looks("often") > 0; }));
  const auto seldom = service(
      *this, id, "seldom", {"--ready-command", "echo >> seldom; test $(wc -l < seldom) -ge 3 && touch over"},
      "sleep 1000");
  EXPECT_EQ(seldom.status, 0) << seldom;
  EXPECT_EQ(often.wait().shell_status(), 0);
  EXPECT_EQ(looks("seldom"), 3);
  EXPECT_GT(looks("often"), 6);
  EXPECT_GE(seldom.took.count(), 900) << "two waits of half a second";
}

TEST_F(Flags, workspace_service_start__publish) {
  const auto id = made({"--seed-path", "seed"});
  const Arguments ready{"--ready-tcp", "127.0.0.1:8000"};
  EXPECT_EQ(service(*this, id, "hidden", ready, "httpd -f -p 8000").status, 0);
  EXPECT_EQ(
      json({"workspace", "service", "status", id, "hidden"}).value("published_ports", Json::array()).size(),
      0U);
  EXPECT_EQ(
      service(*this, id, "shown", {"--ready-tcp", "127.0.0.1:8001", "--publish", "8001"}, "httpd -f -p 8001")
          .status,
      0);
  const auto ports = json({"workspace", "service", "status", id, "shown"})["published_ports"];
  ASSERT_EQ(ports.size(), 1U);
  const auto url = "http://127.0.0.1:" + ports[0]["host_port"].dump() + "/first";
  EXPECT_EQ(command({"busybox", "wget", "-q", "-O", "-", url}).out, "first\n");
}

/// What a service with these flags wrote before it was ready.
std::string written_by(Flags& test, const std::string& id, const Arguments& flags, const std::string& line) {
  static int count = 0;
  const auto name = "s" + std::to_string(++count);
  auto all = flags;
  all.insert(all.end(), {"--ready-log", "^end$"});
  const auto started = service(test, id, name, all, line + "; echo end; sleep 1000");
  EXPECT_EQ(started.status, 0) << started;
  return test.expect(0, {"workspace", "service", "logs", id, name}).out;
}

TEST_F(Flags, workspace_service_start__cwd) {
  const auto id = made();
  EXPECT_EQ(written_by(*this, id, {}, "pwd"), "/workspace\nend\n");
  EXPECT_EQ(written_by(*this, id, {"--cwd", "/var/lib"}, "pwd"), "/var/lib\nend\n");
}

TEST_F(Flags, workspace_service_start__env) {
  const auto id = made();
  EXPECT_EQ(written_by(*this, id, {}, "echo \"<$GIVEN>\""), "<>\nend\n");
  EXPECT_EQ(written_by(*this, id, {"--env", "GIVEN=to it"}, "echo \"<$GIVEN>\""), "<to it>\nend\n");
}

TEST_F(Flags, workspace_service_start__secret_env) {
  const auto id = made({"--secret", "TOKEN=abc-def"});
  EXPECT_EQ(written_by(*this, id, {}, "echo ${#TOKEN}"), "0\nend\n");
  EXPECT_EQ(written_by(*this, id, {"--secret-env", "TOKEN"}, "echo ${#TOKEN}"), "7\nend\n");
}

/// A workspace with a service that has written more than is shown unasked.
std::string with_a_talker(Flags& test) {
  const auto id = test.made();
  const auto talks = service(
      test, id, "talker", {"--ready-log", "^line 250$"},
      "for i in $(seq 250); do echo line $i; done; while [ ! -e go ]; do sleep 0.1; done; echo went on; "
      "sleep 1000");
  EXPECT_EQ(talks.status, 0) << talks;
  return id;
}

std::size_t lines_in(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

TEST_F(Flags, workspace_service_logs__tail_lines) {
  const auto id = with_a_talker(*this);
  EXPECT_EQ(lines_in(expect(0, {"workspace", "service", "logs", id, "talker"}).out), 200U);
  EXPECT_EQ(
      expect(0, {"workspace", "service", "logs", id, "talker", "--tail-lines", "2"}).out,
      "line 249\nline 250\n");
}

TEST_F(Flags, workspace_service_logs__cursor) {
  const auto id = with_a_talker(*this);
  const Arguments last{"workspace", "service", "logs", id, "talker", "--tail-lines", "2"};
  const auto next = json(last)["next_cursor"].dump();
  EXPECT_EQ(with(last, {"--cursor", next}).out, "line 247\nline 248\n");
}

TEST_F(Flags, workspace_service_logs__all) {
  const auto id = with_a_talker(*this);
  EXPECT_EQ(lines_in(expect(0, {"workspace", "service", "logs", id, "talker"}).out), 200U);
  EXPECT_EQ(lines_in(expect(0, {"workspace", "service", "logs", id, "talker", "--all"}).out), 250U);
}

TEST_F(Flags, workspace_service_logs__follow) {
  const auto id = with_a_talker(*this);
  const auto following = at_a_terminal({"workspace", "service", "logs", id, "talker", "--follow"});
  EXPECT_TRUE(following->see("line 250")) << following->seen();
  EXPECT_FALSE(contains(expect(0, {"workspace", "service", "logs", id, "talker"}).out, "went on"));
  EXPECT_EQ(in(id, "touch go").status, 0);
  EXPECT_TRUE(following->see("went on")) << following->seen();
}

} // namespace
} // namespace pyro::testing
