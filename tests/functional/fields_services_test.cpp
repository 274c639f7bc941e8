// What each field of pyro.yaml does: services and how they are stopped.
#include "fields.hpp"

namespace pyro::testing {
namespace {

TEST_F(Fields, service__command) {
  up("services: {text: {command: 'echo $0 > /tmp/text', oneshot: true}, list: {command: [touch, /tmp/a b], "
     "oneshot: "
     "true}}\n");
  EXPECT_EQ(see("cat /tmp/text; ls /tmp/a*"), "/bin/sh\n/tmp/a b");
}

TEST_F(Fields, service__user) {
  up("");
  if (!has_users(m_options)) {
    GTEST_SKIP() << "one user only: no range of ids for us";
  }
  up("services: {s: {command: id -un > /tmp/who, oneshot: true, user: nobody}}\n");
  EXPECT_EQ(see("cat /tmp/who"), "nobody");
}

TEST_F(Fields, service__workdir) {
  up("services: {s: {command: pwd > /tmp/where, oneshot: true, workdir: /etc}}\n");
  EXPECT_EQ(see("cat /tmp/where"), "/etc");
}

TEST_F(Fields, service__env) {
  up_with(
      "  env: {A: 1, B: 1}\n",
      "services: {s: {command: 'echo $A$B > /tmp/seen', oneshot: true, env: {B: 2}}}\n");
  EXPECT_EQ(see("cat /tmp/seen"), "12");
}

TEST_F(Fields, service__env_file) {
  write_file(project() / "vars.env", "A=from file\n");
  up("services: {s: {command: 'echo \"$A\" > /tmp/seen', oneshot: true, env_file: [vars.env]}}\n");
  EXPECT_EQ(see("cat /tmp/seen"), "from file");
}

TEST_F(Fields, service__env_file__as_compose_reads_it) {
  write_file(
      project() / "vars.env", "\xEF\xBB\xBF# head\nexport A = \"a b\" # comment\nB: two\nC='$A'\nD=${A}!\n");
  up("services: {s: {command: 'printf \"%s|\" \"$A\" \"$B\" \"$C\" \"$D\" > /tmp/seen', "
     "oneshot: true, env_file: [vars.env]}}\n");
  EXPECT_EQ(see("cat /tmp/seen"), "a b|two|$A|a b!|");
}

TEST_F(Fields, service__secrets) {
  m_options.env["TEST_TOKEN"] = "secret-text";
  up("secrets: {token: {env: TEST_TOKEN}}\nservices: {with: {command: rev < /run/secrets/token > /tmp/with, "
     "oneshot: "
     "true, secrets: [token]}, without: {command: 'echo \"<$TOKEN_FILE>\" > /tmp/without', oneshot: "
     "true}}\n");
  EXPECT_EQ(see("cat /tmp/with; echo; cat /tmp/without"), "txet-terces\n<>");
}

TEST_F(Fields, service__oneshot) {
  up("services: {s: {command: sleep 0.3; touch /tmp/done, oneshot: true}}\n");
  EXPECT_EQ(see("ls /tmp/done"), "/tmp/done") << "apply waits for it";
  file("", "services: {s: {command: exit 3, oneshot: true}}\n");
  const auto failed = run({"apply", "--yes"});
  EXPECT_NE(failed.status, 0) << "it must exit 0";
}

TEST_F(Fields, service__depends_on) {
  up("services:\n  after: {command: cat /tmp/first > /tmp/second, oneshot: true, depends_on: [before]}\n"
     "  before: {command: sleep 0.3; echo 1 > /tmp/first, oneshot: true}\n");
  EXPECT_EQ(see("cat /tmp/second"), "1");
}

TEST_F(Fields, service__restart) {
  const auto failing = [](const std::string& name, const std::string& restart) {
    return "  " + name + ": {command: 'echo x >> /tmp/" + name
           + "; touch /tmp/ready; sleep 0.2; exit 1', readiness: {file: /tmp/ready}, restart: " + restart
           + "}\n";
  };
  file("", "services:\n" + failing("never", "no") + failing("again", "on-failure, max_restarts: 1"));
  run({"apply", "--yes", "--no-wait"});
  EXPECT_TRUE(eventually([&] { return see("wc -l < /tmp/again") == "2"; }));
  EXPECT_EQ(see("wc -l < /tmp/never"), "1");
}

TEST_F(Fields, service__max_restarts) {
  file(
      "", "services: {s: {command: 'echo x >> /tmp/tries; exit 1', restart: on-failure, max_restarts: 2}}\n");
  const auto failed = run({"apply", "--yes"});
  EXPECT_TRUE(contains(failed.all(), "after 2 restarts")) << failed;
  EXPECT_EQ(see("wc -l < /tmp/tries"), "3");
}

TEST_F(Fields, service__timeout) {
  file("", "services: {s: {command: sleep 60, oneshot: true, timeout: 300ms}}\n");
  const auto result = run({"apply", "--yes"});
  EXPECT_NE(result.status, 0);
  EXPECT_TRUE(contains(result.all(), "300 ms") || contains(result.all(), "0.3 s")) << result;
}

TEST_F(Fields, service__ports) {
  up("services: {web: {command: 'mkdir -p /tmp/www; echo hello > /tmp/www/index.html; exec httpd -f -p 8080 "
     "-h "
     "/tmp/www', readiness: {tcp: 8080}, ports: ['8080']}}\n");
  const auto port = read({"status"}).at("ports").at(0).at("host_port").get<int>();
  EXPECT_EQ(command({"curl", "-sS", "http://127.0.0.1:" + std::to_string(port) + "/"}).out, "hello\n");
}

TEST_F(Fields, service__hint) {
  file(
      "", "services: {s: {command: sleep 1000, readiness: {file: /never, deadline: 300ms}, hint: look at the "
          "moon}}\n");
  const auto result = run({"apply", "--yes"});
  EXPECT_NE(result.status, 0);
  EXPECT_TRUE(contains(result.all(), "look at the moon")) << result;
  for (const auto* without_probe : {"command: 'exit 3'", "command: 'exit 3', oneshot: true"}) {
    file("", std::string("services: {s: {") + without_probe + ", hint: look at the sun}}\n");
    EXPECT_EQ(run({"apply", "--yes"}).status, 6);
    EXPECT_TRUE(contains(read({"status"})["services"][0]["reason"], "look at the sun"));
  }
}

TEST_F(Fields, oneshot__per) {
  const auto once = [](const std::string& per) {
    return "services: {s: {command: 'mkdir /made && echo x >> /workspace/ran', oneshot: " + per + "}}\n";
  };
  up(once("{per: content}"));
  expect_run(0, {"stop"});
  expect_run(0, {"start"});
  EXPECT_EQ(see("cat ran"), "x");
  EXPECT_EQ(read({"status"})["services"][0]["state"], "completed");
  file("", once("{per: start}"));
  expect_run(0, {"apply", "--yes"});
  expect_run(0, {"stop"});
  EXPECT_EQ(run({"start"}).status, 6) << "it is there already";
  file("", once("{per: often}"));
  EXPECT_EQ(run({"validate"}).status, 65);
}

TEST_F(Fields, snapshot__services) {
  const auto was_open_after_a_reset = [&](const std::string& services) {
    up("services:\n  s:\n    command: |\n      [ -e /open ] && echo yes > /was_open || echo no > /was_open\n "
       "     trap 'rm /open; exit 0' TERM\n      touch /open\n      while :; do sleep 0.1; done\n    "
       "readiness: "
       "{file: /open}\n"
       "snapshots: {a: {at: ready"
       + services + "}}\n");
    expect_run(0, {"reset", "--yes"});
    return see("cat /was_open");
  };
  EXPECT_EQ(was_open_after_a_reset(", services: stopped"), "no");
  EXPECT_EQ(was_open_after_a_reset(", services: running"), "yes");
}

// --- dependencies

TEST_F(Fields, dependency__condition) {
  up("services:\n  slow: {command: 'sleep 0.5; touch /tmp/ready; exec sleep 1000', readiness: {file: "
     "/tmp/ready}}\n"
     "  eager: {command: 'ls /tmp/ready > /tmp/eager; true', oneshot: true, depends_on: {slow: {condition: "
     "started}}}\n"
     "  patient: {command: 'ls /tmp/ready > /tmp/patient; true', oneshot: true, depends_on: {slow: "
     "{condition: "
     "ready}}}\n");
  EXPECT_EQ(see("cat /tmp/eager"), "");
  EXPECT_EQ(see("cat /tmp/patient"), "/tmp/ready");
}

TEST_F(Fields, dependency__restart) {
  const auto starts_after_a_change_below = [&](const std::string& restart) {
    const auto services = [&](const std::string& level) {
      return "services:\n  below: {command: exec sleep 1000, env: {LEVEL: " + level
             + "}}\n  above: {command: 'echo x >> /tmp/above; exec sleep 1000', depends_on: {below: "
               "{condition: started, "
               "restart: "
             + restart + "}}}\n";
    };
    up(services("low"));
    expect_run(0, {"reset", "--yes"});
    EXPECT_EQ(written("/tmp/above"), "x");
    up(services("high"));
    return see("wc -l < /tmp/above");
  };
  EXPECT_EQ(starts_after_a_change_below("true"), "2");
  EXPECT_EQ(starts_after_a_change_below("false"), "1");
}

// --- stopping

TEST_F(Fields, stop__signal) {
  up("services: {s: {command: 'trap \"echo INT > /workspace/got; exit\" INT; trap \"echo TERM > "
     "/workspace/got; exit\" "
     "TERM; touch /tmp/set; while :; do sleep 0.1; done', readiness: {file: /tmp/set}, stop: {signal: "
     "SIGINT}}}\n");
  expect_run(0, {"stop"});
  expect_run(0, {"start"});
  EXPECT_EQ(written("/workspace/got"), "INT");
}

TEST_F(Fields, stop__grace) {
  const std::string body =
      "services: {s: {command: 'trap \"sleep 2; echo finished > /workspace/got; exit\" TERM; "
      "touch /tmp/set; while :; do sleep 0.1; done', readiness: {file: /tmp/set}, stop: {grace: ";
  up(body + "200ms}}}\n");
  expect_run(0, {"stop"});
  expect_run(0, {"start"});
  EXPECT_EQ(see("cat /workspace/got 2>/dev/null"), "") << "killed after its grace";
  up(body + "20s}}}\n");
  expect_run(0, {"stop"});
  expect_run(0, {"start"});
  EXPECT_EQ(see("cat /workspace/got"), "finished");
}

} // namespace
} // namespace pyro::testing
