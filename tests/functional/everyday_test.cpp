// Commands for the work of a day with the workspace of a file: restart, wait, ps, cp.
#include "flags.hpp"

namespace pyro::testing {
namespace {

class Everyday : public Flags {
protected:
  /// Each start of a service leaves a line.
  static constexpr const char* k_counting = R"(
services:
  db:
    command: "echo db >> /var/starts; exec sleep 1000"
    readiness: {exec: "true"}
  web:
    command: "echo web >> /var/starts; exec sleep 1000"
    readiness: {exec: "true"}
    depends_on: {db: {condition: ready, restart: true}}
  log:
    command: "echo log >> /var/starts; exec sleep 1000"
    readiness: {exec: "true"}
)";

  std::string starts() { return inside("sort /var/starts | tr '\\n' ' '").out; }
};

TEST_F(Everyday, RestartTakesAlongWhoAsksForItAndNothingElse) {
  file(k_counting);
  expect(0, {"apply"});
  EXPECT_EQ(inside("echo mine > notes; sort /var/starts | tr '\\n' ' '").out, "db log web ");
  expect(0, {"restart", "db"});
  EXPECT_EQ(starts(), "db db log web web ");
  expect(0, {"restart", "web", "log"});
  EXPECT_EQ(starts(), "db db log log web web web ");
  expect(0, {"restart"});
  EXPECT_EQ(starts(), "db db db log log log web web web web ");
  EXPECT_EQ(inside("cat notes").out, "mine\n");
  EXPECT_EQ(joined(json({"restart", "log"})["services"], "state"), "ready");
}

TEST_F(Everyday, RestartTellsWhatIsWrong) {
  file("services:\n  web:\n    command: 'test ! -e broken || { echo no config >&2; exit 7; }; exec sleep "
       "1000'\n"
       "    readiness: {exec: 'true'}\n");
  expect(0, {"apply"});
  const auto unknown = expect(1, {"restart", "wep"});
  EXPECT_TRUE(contains(unknown.err, "'wep'") && contains(unknown.err, "web")) << unknown;
  EXPECT_EQ(inside("touch broken").status, 0);
  const auto failed = expect(6, {"restart", "web"});
  EXPECT_TRUE(contains(failed.err, "no config")) << failed;
  expect(0, {"stop"});
  EXPECT_TRUE(contains(expect(1, {"restart", "web"}).err, "pyro start"));
}

TEST_F(Everyday, WaitIsOverWhenTheServiceIsReady) {
  file("services:\n  slow: {command: sleep 1000, readiness: {file: /workspace/go}}\n"
       "  quick: {command: sleep 1000, readiness: {exec: 'true'}}\n");
  expect(0, {"apply", "--no-wait"});
  expect(0, {"wait", "quick"});
  auto waiting = start({"wait", "slow"});
  EXPECT_EQ(json({"wait", "quick"})["services"][0]["state"], "ready");
  EXPECT_EQ(inside("touch go").status, 0);
  EXPECT_EQ(waiting.wait().shell_status(), 0);
  EXPECT_EQ(json({"wait"})["services"].size(), 2U);
}

TEST_F(Everyday, WaitIsOverWhenAnotherApplyIs) {
  file("prepare:\n  - {id: long, run: 'until [ -e /workspace/first ] && sleep 0.5; do sleep 0.1; done'}\n"
       "services:\n  web: {command: sleep 1000, readiness: {exec: 'true'}}\n");
  auto applying = start({"apply", "--yes"});
  EXPECT_TRUE(eventually([&] { return contains(pyro({"ls"}).out, "test"); }));
  const auto waited = json({"wait", "web"});
  EXPECT_EQ(waited["services"][0]["state"], "ready");
  EXPECT_EQ(applying.wait().shell_status(), 0);
}

TEST_F(Everyday, WaitDoesNotWaitForWhatWillNotCome) {
  file("services:\n  web: {command: 'exit 3', readiness: {exec: 'true'}}\n");
  EXPECT_TRUE(contains(expect(1, {"wait"}).err, "pyro apply")) << "there is none yet";
  expect(0, {"apply", "--no-wait"});
  expect(6, {"wait", "web"});
  EXPECT_TRUE(contains(expect(1, {"wait", "wep"}).err, "web"));
  expect(0, {"stop"});
  EXPECT_TRUE(contains(expect(1, {"wait"}).err, "pyro start"));
}

TEST_F(Everyday, PsShowsServicesWithTheirPorts) {
  file("services:\n  web:\n    command: httpd -f -p 8000\n    readiness: {tcp: 8000}\n    ports: ['8000']\n"
       "  gone: {command: 'exit 0', oneshot: true}\n");
  expect(0, {"apply"});
  const auto port = json({"ps"})["ports"][0]["host_port"].dump();
  const auto shown = expect(0, {"ps"}).out;
  EXPECT_TRUE(contains(shown, "web   ready")) << shown;
  EXPECT_TRUE(contains(shown, "gone  completed")) << shown;
  EXPECT_TRUE(contains(shown, "127.0.0.1:" + port + " -> 8000")) << shown;
  expect(0, {"stop"});
  EXPECT_TRUE(contains(expect(0, {"ps"}).out, "web   stopped"));
}

TEST_F(Everyday, PortsAreShownWhereSomebodyLooks) {
  file("services:\n"
       "  web:\n    command: httpd -f -p 8000\n    readiness: {http: {port: 8000, path: /first}}\n    ports: "
       "['8000']\n"
       "  raw:\n    command: httpd -f -p 9000\n    readiness: {tcp: 9000}\n    ports: ['9000']\n");
  const auto applied = expect(0, {"apply"});
  const auto ports = json({"ports"})["ports"];
  ASSERT_EQ(ports.size(), 2U);
  const auto& raw = ports[ports[0]["service"] == "raw" ? 0 : 1];
  const auto& web = ports[ports[0]["service"] == "raw" ? 1 : 0];
  const auto url = web.at("url").get<std::string>();
  const auto address = "127.0.0.1:" + raw.at("host_port").dump();
  EXPECT_EQ(raw.at("url"), nullptr);
  EXPECT_EQ(command({"busybox", "wget", "-q", "-O", "-", url + "first"}).out, "first\n");
  for (const auto& shown :
       {applied.err, expect(0, {"apply"}).err, expect(0, {"ls"}).out, expect(0, {"ports"}).out,
        expect(0, {"status"}).out, expect(0, {"ps"}).out}) {
    EXPECT_TRUE(contains(shown, url) && contains(shown, address)) << shown;
  }
  EXPECT_EQ(json({"ls"})["workspaces"][0]["ports"], ports);
  EXPECT_EQ(json({"apply"})["ports"], ports);
  EXPECT_FALSE(contains(expect(0, {"ports", "web"}).out, address));
  EXPECT_TRUE(contains(expect(1, {"ports", "wep"}).err, "wep"));
  expect(0, {"stop"});
  const auto stopped = expect(0, {"ports"});
  EXPECT_TRUE(stopped.out.empty() && contains(stopped.err, "pyro start")) << stopped;
}

TEST_F(Everyday, PortsOfServicesByHandAreAmongThem) {
  const auto id = made();
  const auto started = with(
      {"workspace", "service", "start", id, "web", "--", "httpd -f -p 8001"},
      {"--ready-tcp", "127.0.0.1:8001", "--publish", "8001"});
  ASSERT_EQ(started.status, 0) << started;
  EXPECT_EQ(json({"-w", id, "ports"})["ports"][0]["port"], 8001);
  expect(0, {"workspace", "service", "stop", id, "web"});
  EXPECT_EQ(json({"-w", id, "ports"})["ports"].size(), 0U);
}

TEST_F(Everyday, CpBringsFilesInAndOut) {
  file();
  expect(0, {"apply"});
  write_file(project() / "bundle.tar", "no archive at all");
  write_file(project() / "tree/sub/leaf", "leaf\n");
  fs::permissions(project() / "tree/sub/leaf", fs::perms(0755));
  expect(0, {"cp", "bundle.tar", ":"});
  expect(0, {"cp", "bundle.tar", ":renamed"});
  expect(0, {"cp", "bundle.tar", ":new/"});
  expect(0, {"cp", "tree", ":"});
  expect(0, {"cp", "tree", ":other"});
  expect(0, {"cp", "tree/.", ":flat"});
  EXPECT_EQ(
      inside("cat bundle.tar renamed new/bundle.tar").out, std::string("no archive at all")
                                                               + "no archive at "
                                                                 "allno archive at all");
  EXPECT_EQ(
      inside("find flat other tree -type f -perm 755 | sort").out,
      "flat/sub/leaf\nother/sub/leaf\ntree/sub/leaf\n");

  EXPECT_EQ(inside("echo made > made; mkdir -p dir/deep; echo 1 > dir/deep/one").status, 0);
  expect(0, {"cp", ":made", "."});
  expect(0, {"cp", ":/workspace/made", "elsewhere"});
  expect(0, {"cp", ":dir", "tree"});
  EXPECT_EQ(read_file(project() / "made") + read_file(project() / "elsewhere"), "made\nmade\n");
  EXPECT_EQ(read_file(project() / "tree/dir/deep/one"), "1\n");
  expect(0, {"stop"});
  expect(0, {"cp", ":made", "stopped"});
}

TEST_F(Everyday, CpRefusesWhatCannotBeMeant) {
  file();
  expect(0, {"apply"});
  expect(64, {"cp", "pyro.yaml", "copy"});
  write_file(project() / "first", "mine\n");
  EXPECT_TRUE(contains(expect(1, {"cp", ":first", "."}).err, "already exists"));
  EXPECT_EQ(read_file(project() / "first"), "mine\n");
  EXPECT_TRUE(contains(expect(66, {"cp", "nothing", ":"}).err, "nothing"));
  const auto outside = pyro({"cp", "first", ":/etc/first"});
  EXPECT_TRUE(outside.status != 0 && contains(outside.err, "pyro exec")) << outside;
  expect(66, {"cp", ":first", "missing/"});
}

TEST_F(Flags, restart__no_wait) {
  file("services:\n  web: {command: sleep 1000, readiness: {exec: 'test ! -e /tmp/late', deadline: 2s}}\n");
  expect(0, {"apply"});
  EXPECT_EQ(inside("touch /tmp/late").status, 0);
  expect(0, {"restart", "web", "--no-wait"});
  expect(6, {"restart", "web"});
}

/// A workspace whose service is ready once there is a file.
void never_ready(Flags& test) {
  test.file("services:\n  web: {command: sleep 1000, readiness: {file: /workspace/go, deadline: 10m}}\n");
  test.expect(0, {"apply", "--no-wait"});
}

TEST_F(Flags, restart__timeout) {
  never_ready(*this);
  expect(124, {"restart", "--timeout", "300ms"});
}

TEST_F(Flags, wait__timeout) {
  never_ready(*this);
  expect(124, {"wait", "--timeout", "300ms"});
  EXPECT_EQ(inside("touch go").status, 0);
  expect(0, {"wait", "--timeout", "1m"});
}

} // namespace
} // namespace pyro::testing
