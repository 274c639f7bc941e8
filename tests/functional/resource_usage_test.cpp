// What workspaces and their services take: `pyro top`, and the figures of `pyro status`.
#include "../support/terminal.hpp"
#include "flags.hpp"

#include <csignal>

namespace pyro::testing {
namespace {

class ResourceUsage : public Flags {
protected:
  /// A service that holds 48 MiB and is never idle, with a child that took leave of it; and one that is idle.
  void busy_and_idle() {
    spec("services:\n"
         "  busy:\n"
         "    command: [/usr/bin/python3, busy.py]\n"
         "    readiness: {file: /tmp/up}\n"
         "  idle: {command: [sleep, '1000']}\n");
    write_file(
        project() / "busy.py", "import os, time\n"
                               "held = bytearray(os.urandom(1) * (48 << 20))\n"
                               "if os.fork() == 0:\n"
                               "  os.setsid()\n"
                               "  if os.fork() == 0: time.sleep(1000)\n"
                               "  os._exit(0)\n"
                               "os.wait()\n"
                               "open('/tmp/up', 'w')\n"
                               "while True: pass\n");
    expect(0, {"apply"});
  }

  Json usage(const Arguments& more = {}) {
    Arguments words{"top", "--once", "--interval", "300ms"};
    words.insert(words.end(), more.begin(), more.end());
    return json(words);
  }

  static Json service(const Json& workspace, const std::string& name) {
    for (const auto& one : workspace.at("services")) {
      if (one.at("name") == name) {
        return one;
      }
    }
    ADD_FAILURE() << "no service " << name << " in " << workspace.dump(2);
    return Json::object();
  }

  /// Where control groups are not ours to use; doctor says so.
  bool has_limits() {
    for (const auto& check : json({"doctor"}).value("checks", Json::array())) {
      if (check.value("name", "") == "limits") {
        return check.value("level", "") == "ok";
      }
    }
    return false;
  }
};

TEST_F(ResourceUsage, OfAWorkspaceAndOfEachService) {
  busy_and_idle();
  constexpr int k_held = 48 << 20;
  Json workspace;
  ASSERT_TRUE(eventually([&] { // this machine may be busy with something else
    workspace = usage().at("workspaces").at(0);
    return workspace.at("cpu").at("percent") > 1.0
           && service(workspace, "busy").at("cpu").at("percent") > 1.0;
  })) << workspace.dump(2);
  EXPECT_EQ(workspace.at("name"), "test");
  EXPECT_GT(workspace.at("cpu").at("seconds"), 0.0);
  EXPECT_GE(workspace.at("memory").at("bytes"), k_held);
  EXPECT_GE(workspace.at("pids").at("count"), 4);
  EXPECT_TRUE(workspace.at("vmm").is_null());
  EXPECT_EQ(workspace.at("oom_kills").at("count"), 0);
  EXPECT_EQ(workspace.at("trouble"), "");
  const auto busy = service(workspace, "busy");
  const auto idle = service(workspace, "idle");
  EXPECT_EQ(busy.at("state"), "ready");
  EXPECT_GE(busy.at("memory").at("bytes"), k_held);
  EXPECT_EQ(busy.at("memory").at("counted_by"), "processes");
  EXPECT_TRUE(busy.at("memory").at("peak_bytes").is_null()) << "nobody counts it, which is not 0";
  EXPECT_EQ(busy.at("pids").at("count"), 2) << "the one that left its session too";
  EXPECT_EQ(idle.at("pids").at("count"), 1);
  EXPECT_LT(idle.at("memory").at("bytes"), k_held);
  EXPECT_EQ(idle.at("cpu").at("percent"), 0.0);
}

TEST_F(ResourceUsage, TheKernelCountsWhereThereAreControlGroups) {
  busy_and_idle();
  const auto workspace = usage().at("workspaces").at(0);
  const auto text = expect(0, {"top", "--once", "--interval", "100ms"}).out;
  const auto& memory = workspace.at("memory");
  if (has_limits()) {
    EXPECT_EQ(memory.at("counted_by"), "cgroup");
    EXPECT_GE(memory.at("peak_bytes"), memory.at("bytes"));
    EXPECT_GE(memory.at("peak_bytes"), memory.at("cached_bytes"));
    EXPECT_GT(memory.at("limit_bytes"), 0);
    EXPECT_EQ(workspace.at("pids").at("counted_by"), "cgroup");
    EXPECT_GT(workspace.at("pids").at("limit"), 0);
  } else {
    EXPECT_EQ(memory.at("counted_by"), "processes");
    EXPECT_TRUE(memory.at("peak_bytes").is_null() && memory.at("limit_bytes").is_null()) << memory.dump(2);
    EXPECT_TRUE(workspace.at("pids").at("limit").is_null());
  }
  EXPECT_TRUE(contains(text, "~ summed over processes")) << text;
  EXPECT_TRUE(contains(text, "  busy ")) << text;
}

TEST_F(ResourceUsage, StatusHasThemToo) {
  busy_and_idle();
  const auto status = json({"status"});
  const auto& resources = status.at("resources");
  EXPECT_GE(resources.at("memory").at("bytes"), 48 << 20);
  EXPECT_TRUE(resources.at("cpu").at("percent").is_null()) << "a rate needs two looks";
  EXPECT_GE(service(status, "busy").at("memory").at("bytes"), 48 << 20);
  EXPECT_TRUE(resources.contains("disk"));
  const auto text = expect(0, {"status"}).out;
  EXPECT_TRUE(contains(text, "of memory") && contains(text, "processes and threads")) << text;
  expect(0, {"stop"});
  EXPECT_TRUE(json({"status"}).at("resources").is_null());
}

TEST_F(ResourceUsage, WhoDoesNotRunIsShownOnlyByName) {
  busy_and_idle();
  expect(0, {"stop"});
  EXPECT_EQ(usage().at("count"), 0);
  EXPECT_EQ(expect(0, {"top", "--once"}).out, "No workspace runs.\n");
  const auto named = usage({"test"}).at("workspaces").at(0);
  EXPECT_EQ(named.at("state"), "stopped");
  EXPECT_TRUE(named.at("memory").is_null() && named.at("cpu").is_null() && named.at("pids").is_null());
  EXPECT_TRUE(contains(expect(0, {"top", "test", "--once"}).out, "test (stopped)"));
  EXPECT_NE(pyro({"top", "nobody", "--once"}).status, 0);
}

TEST_F(ResourceUsage, WithoutIsolationOnlyItsOwnProcessesCount) {
  write_file(
      project() / "pyro.yaml", "version: 1\nname: open\nisolation: host\nenvironment: {image: host}\n"
                               "seed: {from: seed}\nservices: {idle: {command: [sleep, '1000']}}\n");
  expect(0, {"apply", "--allow-host-compat"});
  const auto workspace = usage().at("workspaces").at(0);
  EXPECT_EQ(workspace.at("pids").at("count"), 2) << workspace.dump(2);
  EXPECT_EQ(service(workspace, "idle").at("pids").at("count"), 1);
  EXPECT_GT(workspace.at("memory").at("bytes"), 0);
}

TEST_F(ResourceUsage, OnATerminalItIsDrawnAgainUntilCtrlC) {
  spec();
  expect(0, {"apply"});
  auto terminal = at_a_terminal({"top", "--interval", "200ms"});
  for (int frame = 0; frame < 3; ++frame) {
    EXPECT_TRUE(terminal->see("\x1b[H\x1b[J")) << terminal->seen();
    EXPECT_TRUE(terminal->see("test")) << terminal->seen();
  }
  terminal->type("\x03");
  EXPECT_EQ(terminal->status(), 0) << terminal->seen();
}

TEST_F(ResourceUsage, AsLinesOfJsonUntilCtrlC) {
  spec();
  expect(0, {"apply"});
  auto terminal = at_a_terminal({"top", "--json", "--interval", "200ms"});
  for (int frame = 0; frame < 3; ++frame) {
    EXPECT_TRUE(terminal->see("{\"at\":")) << terminal->seen();
    EXPECT_TRUE(terminal->see("}\r\n")) << terminal->seen();
  }
  EXPECT_FALSE(contains(terminal->seen(), "\x1b["));
  terminal->type("\x03");
  EXPECT_EQ(terminal->status(), 0) << terminal->seen();
}

TEST_F(Flags, top__once) {
  file();
  expect(0, {"apply"});
  const auto once = expect(0, {"top", "--once"}).out;
  EXPECT_TRUE(contains(once, "WORKSPACE") && contains(once, "test")) << once;
}

TEST_F(Flags, top__interval) {
  file();
  expect(0, {"apply"});
  EXPECT_EQ(json({"top", "--once", "--interval", "250ms"}).at("interval_ms"), 250);
  EXPECT_EQ(json({"top", "--once"}).at("interval_ms"), 1000);
  for (const auto* value : {"1ms", "2h", "soon"}) {
    EXPECT_EQ(pyro({"top", "--once", "--interval", value}).status, 64) << value;
  }
}

} // namespace
} // namespace pyro::testing
