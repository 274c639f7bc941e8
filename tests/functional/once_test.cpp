// What runs once for each content, snapshots of stopped services, and ports of services that are ready
// though others failed.
#include "../support/busybox.hpp"
#include "../support/home.hpp"

#include <fmt/format.h>

namespace pyro::testing {
namespace {

class Once : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    make_busybox_root(root() / "image");
  }

  void file(const std::string& rest) {
    write_file(
        project() / "pyro.yaml",
        "version: 1\nname: test\nenvironment: {image: 'dir:../image'}\nseed: {from: .}\n" + rest);
  }

  Result run(const Arguments& arguments) { return pyro(arguments, m_trusting); }

  Result done(const Arguments& arguments) { return expect(0, arguments, m_trusting); }

  std::string see(const std::string& script) { return inside(script).out; }

  /// A database that is created once, and notes how it was ended.
  static std::string database(const std::string& oneshot, const std::string& snapshot) {
    return "services:\n"
           "  db:\n"
           "    command: |\n"
           "      [ -e /data/open ] && echo recovered >> /data/starts || echo clean >> /data/starts\n"
           "      touch /data/open\n"
           "      trap 'rm /data/open; exit 0' TERM\n"
           "      touch /tmp/up\n"
           "      while :; do sleep 0.1; done\n"
           "    readiness: {file: /tmp/up}\n"
           "    stop: {signal: SIGTERM}\n"
           "  create: {command: 'mkdir /data/made', oneshot: "
           + oneshot + ", depends_on: [db]}\nprepare: [{run: 'mkdir /data', user: root}]\nsnapshots: {ready: "
           + snapshot + "}\n";
  }

  const RunOptions m_trusting{.env = {{"PYRO_TRUST", "1"}}};
};

TEST_F(Once, IsNotRunAgainWhereTheContentHasItsResult) {
  file(database("{per: content}", "{at: ready}"));
  done({"apply"});
  done({"stop"});
  done({"start"});
  done({"reset", "--yes"});
  done({"snapshot", "save", "mine"});
  done({"reset", "--yes", "--to", "mine"});
  done({"fork", "other"});
  done({"reset", "--yes", "-w", "other"});
  for (const auto* name : {"test", "other"}) {
    const auto status = json({"status", "-w", name}, m_trusting);
    for (const auto& service : status["services"]) {
      EXPECT_EQ(service["state"], service["name"] == "db" ? "ready" : "completed") << status;
    }
  }
  EXPECT_TRUE(json({"plan"}, m_trusting)["changes"].is_null() || !json({"plan"}, m_trusting)["changes"])
      << "its note is no drift";
  EXPECT_TRUE(contains(done({"plan"}).out, "No changes.")) << done({"plan"});
  EXPECT_FALSE(contains(done({"diff"}).out, "oneshots"));
}

TEST_F(Once, RunsAgainWhereItsResultIsNot) {
  file(database("{per: content}", "{at: ready}"));
  done({"apply"});
  done({"reset", "--yes", "--to", "baseline"});
  EXPECT_EQ(inside("test -d /data/made").status, 0);
  // Another definition is another result.
  replace_in_file(project() / "pyro.yaml", "mkdir /data/made", "mkdir /data/another");
  done({"apply", "--yes"});
  EXPECT_EQ(inside("test -d /data/another").status, 0);
}

TEST_F(Once, TurningItOnRunsNothing) {
  file(database("true", "{at: prepare}"));
  done({"apply"});
  replace_in_file(project() / "pyro.yaml", "oneshot: true", "oneshot: {per: content}");
  done({"apply", "--yes"});
  done({"stop"});
  done({"start"});
}

TEST_F(Once, AReadyPointOfStoppedServicesHasClosedFiles) {
  file(database("{per: content}", "{at: ready, services: stopped}"));
  const auto applied = done({"apply"});
  EXPECT_TRUE(contains(applied.err, "stopped for it and started again")) << applied;
  EXPECT_EQ(see("cat /data/starts"), "clean\nclean\n");
  done({"reset", "--yes"});
  EXPECT_EQ(see("cat /data/starts"), "clean\nclean\n") << "the second start is that after the reset";
  // The same where the point is made beside a workspace that has been touched.
  EXPECT_EQ(inside("touch mine").status, 0);
  replace_in_file(project() / "pyro.yaml", "snapshots: {ready:", "snapshots: {other:");
  replace_in_file(project() / "pyro.yaml", "touch /data/open", "touch /data/open; : again");
  done({"apply", "--yes"});
  done({"reset", "--yes", "--to", "other"});
  EXPECT_EQ(see("cat /data/starts"), "clean\nclean\n");
  file(database("{per: content}", "{at: ready}"));
  done({"apply", "--yes"});
  done({"reset", "--yes"});
  EXPECT_EQ(see("tail -n 1 /data/starts"), "recovered\n") << "running is the default";
}

TEST_F(Once, WhatCannotBeIsRefused) {
  for (const auto& [snapshots, message] : std::vector<std::pair<std::string, std::string>>{
           {"{a: {at: prepare, services: stopped}}", "only at 'ready' there are services to stop"},
           {"{a: {at: ready, services: stopped, memory: true}}", "have no memory to keep"},
           {"{a: {at: ready, services: stopped}, b: {at: ready}}", "both are one point"}}) {
    file("services: {s: {command: sleep 1000}}\nsnapshots: " + snapshots + "\n");
    const auto refused = expect(65, {"validate"});
    EXPECT_TRUE(contains(refused.all(), message)) << refused;
  }
}

TEST_F(Once, PortsOfWhatIsReadyArePublishedThoughOthersFail) {
  const std::string web =
      "services:\n  web:\n    command: exec httpd -f -p 8080 -h /workspace\n    readiness: "
      "{tcp: 8080}\n    ports: ['8080']\n";
  write_file(project() / "page.txt", "from inside\n");
  file(web + "  load: {command: 'exit 3', oneshot: true, depends_on: [web]}\n");
  const auto is_reached = [&] {
    const auto ports = json({"status"}, m_trusting)["ports"];
    if (ports.size() != 1) {
      return false;
    }
    const auto address = fmt::format("http://127.0.0.1:{}/page.txt", ports[0]["host_port"].get<int>());
    return command({"curl", "-sS", "--max-time", "5", address}).out == "from inside\n";
  };
  EXPECT_EQ(run({"apply"}).status, 6);
  EXPECT_TRUE(is_reached());
  EXPECT_EQ(run({"reset", "--yes"}).status, 6);
  EXPECT_TRUE(is_reached());
  EXPECT_EQ(run({"stop"}).status, 0);
  EXPECT_EQ(run({"start"}).status, 6);
  EXPECT_TRUE(is_reached());
}

} // namespace
} // namespace pyro::testing
