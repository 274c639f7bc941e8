// What goes on while others are at work: waiting for what is not there yet, events, applying as files change;
// and what the file and the last apply looked like.
#include "../support/files.hpp"
#include "flags.hpp"

#include <csignal>

namespace pyro::testing {
namespace {

class Verbs : public Flags {
public:
  std::size_t count_of(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) {
      ++count;
    }
    return count;
  }
};

TEST_F(Flags, wait__for) {
  file("services: {web: {command: sleep 1000, readiness: {exec: 'true'}}}\nsnapshots: {early: {at: seed}}\n");
  auto waiting = start({"wait", "--for", "ready=web", "--for", "snapshot=early", "--for", "ready"});
  expect(0, {"wait", "--for", "absent"});
  EXPECT_FALSE(waiting.try_wait()) << "there is no workspace yet";
  expect(0, {"apply"});
  EXPECT_EQ(waiting.wait().shell_status(), 0);
  auto gone = start({"wait", "-w", "test", "--for", "absent"});
  expect(0, {"destroy", "--yes"});
  EXPECT_EQ(gone.wait().shell_status(), 0);
}

TEST_F(Verbs, WaitSaysWhatWasMissing) {
  file("services: {web: {command: sleep 1000, readiness: {exec: 'test -e /tmp/up', deadline: 1s}}}\n");
  const auto waits = [&](const std::string& condition) {
    return expect(124, {"wait", "--for", condition, "--timeout", "300ms"}).err;
  };
  EXPECT_TRUE(contains(waits("ready"), "still missing: the workspace"));
  expect(6, {"apply"});
  EXPECT_TRUE(contains(expect(6, {"wait", "--for", "ready"}).err, "web"));
  EXPECT_TRUE(contains(waits("ready=other"), "still missing: service other"));
  EXPECT_TRUE(contains(waits("snapshot=s"), "still missing: snapshot s"));
  EXPECT_TRUE(contains(waits("absent"), "still missing: the end of the workspace"));
  for (const auto* wrong : {"redy", "ready=", "snapshot"}) {
    expect(64, {"wait", "--for", wrong});
  }
  expect(64, {"wait", "--for", "ready", "--for", "absent"});
}

TEST_F(Verbs, EventsTellWhatWasDoneToWhichAddress) {
  file("prepare: [{id: make, run: echo made > made}]\n");
  expect(0, {"apply"});
  EXPECT_EQ(inside("true").status, 0);
  expect(0, {"status"});
  expect(125, {"exec", "-w", "nobody", "--", "true"});
  std::vector<Json> events;
  std::istringstream lines(expect(0, {"events", "-o", "jsonl"}).out);
  for (std::string line; std::getline(lines, line);) {
    auto event = Json::parse(line);
    if (event.value("type", "") != "version") { // what all JSON lines begin with
      events.push_back(std::move(event));
    }
  }
  std::string seen;
  for (const auto& event : events) {
    seen += event["operation"].get<std::string>() + " " + event["kind"].get<std::string>() + " "
            + event["address"].get<std::string>() + "\n";
  }
  EXPECT_TRUE(
      contains(seen, "apply action_start prepare.make\n")
      && contains(seen, "apply action_complete prepare.make\n"))
      << seen;
  EXPECT_TRUE(contains(seen, "apply operation_complete \nexec operation_start \nexec operation_complete \n"))
      << seen;
  EXPECT_FALSE(contains(seen, "status")) << "it changes nothing";
  EXPECT_EQ(json({"events"})["events"].size(), events.size());
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(events.back()["kind"], "operation_error");
  EXPECT_EQ(events[1]["op_id"], events[0]["op_id"]);
  EXPECT_NE(events.back()["op_id"], events[0]["op_id"]);
  const auto of_it = expect(0, {"events", "-w", "test"}).out;
  EXPECT_TRUE(contains(of_it, "apply test: done") && contains(of_it, "exec test: done")) << of_it;
  const auto none = expect(0, {"events", "-w", "nobody"});
  EXPECT_EQ(none.out, "");
  EXPECT_TRUE(contains(none.err, "Nothing is noted of nobody.")) << none;
}

TEST_F(Flags, events__tail) {
  file();
  expect(0, {"apply"});
  expect(0, {"stop"});
  EXPECT_TRUE(contains(expect(0, {"events", "--tail", "1"}).out, "stop test: done"));
  EXPECT_FALSE(contains(expect(0, {"events", "--tail", "1"}).out, "apply"));
  EXPECT_EQ(expect(0, {"events", "--tail", "0"}).out, "");
  expect(64, {"events", "--tail", "x"});
}

TEST_F(Flags, events__follow) {
  file();
  expect(0, {"apply"});
  const auto following = at_a_terminal({"events", "--follow", "--tail", "0"});
  for (int i = 0; i < 2; ++i) { // behind its first look, whenever that was
    expect(0, {"stop"});
  }
  EXPECT_TRUE(eventually([&] {
    expect(0, {"start"});
    expect(0, {"stop"});
    return contains(following->seen(), "stop test: ") || following->see("stop test: ");
  }));
  following->signal(SIGINT);
  EXPECT_EQ(following->status(), 130);
}

TEST_F(Flags, graph__allow_host_compat) {
  file("isolation: host\nbackend: host\n");
  EXPECT_EQ(pyro({"graph"}).status, 10);
  EXPECT_TRUE(contains(expect(0, {"graph", "--allow-host-compat"}).out, "workspace"));
}

TEST_F(Flags, graph__output) {
  file("prepare: [{id: make, run: echo made > made}]\n"
       "services:\n  db: {command: sleep 1000}\n  web: {command: sleep 1000, depends_on: [db]}\n"
       "snapshots: {clean: {at: prepare}}\n");
  const auto before = expect(0, {"graph"}).out;
  EXPECT_TRUE(contains(before, "missing    after seed\n") && contains(before, "after services.db (started)"))
      << before;
  expect(0, {"apply"});
  const auto text = expect(0, {"graph"}).out;
  EXPECT_TRUE(contains(text, "prepare.make     cached   ")) << text;
  EXPECT_TRUE(contains(text, "snapshots.clean  taken      after prepare.make\n")) << text;
  const auto dot = expect(0, {"graph", "-o", "dot"}).out;
  EXPECT_TRUE(contains(dot, "\"services.db\" -> \"services.web\" [label=\"started\"];")) << dot;
  EXPECT_TRUE(
      contains(dot, "label=\"services.db\\nrunning\"") || contains(dot, "label=\"services.db\\nready\""))
      << dot;
  EXPECT_TRUE(
      contains(expect(0, {"graph", "-o", "mermaid"}).out, "flowchart LR\n  n0[\"environment<br>cached\"]\n"));
  const auto svg = expect(0, {"graph", "--output", "svg"}).out;
  EXPECT_TRUE(svg.starts_with("<svg ") && svg.ends_with("</svg>\n") && contains(svg, ">services.web</text>"))
      << svg;
  EXPECT_EQ(json({"graph"})["nodes"].size(), 7U);
}

TEST_F(Verbs, TimingMarksWhatTheOthersWaitedFor) {
  file(
      "prepare: [{id: make, run: sleep 0.2}]\n"
      "services:\n"
      "  slow: {command: sleep 1000, readiness: {exec: 'test -e /tmp/up || { sleep 0.5; touch /tmp/up; }'}}\n"
      "  quick: {command: sleep 1000, readiness: {exec: 'true'}}\n");
  EXPECT_TRUE(contains(pyro({"timing"}).err, "no workspace"));
  expect(0, {"apply"});
  std::map<std::string, bool> critical;
  const auto timing = json({"timing"});
  for (const auto& action : timing["actions"]) {
    EXPECT_GE(action["duration_ms"].get<int>(), 0) << action;
    critical[action["address"]] = action["critical"];
  }
  EXPECT_TRUE(critical["prepare.make"] && critical["workspace"] && critical["services.slow"]) << timing;
  EXPECT_FALSE(critical["services.quick"]) << timing;
  EXPECT_GE(timing["total_ms"], timing["critical_ms"]);
  expect(0, {"apply"});
  EXPECT_EQ(json({"timing"}), timing) << "that one did nothing";
  EXPECT_TRUE(contains(expect(0, {"timing"}).out, "*  services.slow"));
}

TEST_F(Verbs, WatchBringsInWhatChangesAndGoesOnAfterAMistake) {
  write_file(
      project() / "pyro.yaml",
      "version: 1\nname: test\nenvironment: {image: 'dir:root'}\nseed: {from: seed, exclude: [ignored/]}\n");
  const auto watching = at_a_terminal({"watch", "--progress", "plain"});
  ASSERT_TRUE(watching->see("watching ")) << watching->seen();
  constexpr int k_files = 40;
  for (int i = 0; i < k_files; ++i) {
    write_file(project() / ("seed/burst" + std::to_string(i)), "x\n");
  }
  EXPECT_TRUE(eventually([&] { return contains(inside("ls | wc -l").out, "41"); }));
  EXPECT_TRUE(watching->see("applied (")) << watching->seen();
  EXPECT_LT(count_of(watching->seen(), ": applied ("), static_cast<std::size_t>(k_files) / 2)
      << watching->seen();

  write_file(project() / "seed/ignored/file", "x\n");
  const auto good = read_file(project() / "pyro.yaml");
  write_file(project() / "pyro.yaml", good + "versoin: 1\n");
  EXPECT_TRUE(watching->see("failed: ")) << watching->seen();
  EXPECT_TRUE(watching->see("pyro.yaml:5:1")) << watching->seen();
  write_file(project() / "pyro.yaml", good);
  EXPECT_TRUE(watching->see("nothing to do")) << watching->seen();
  write_file(project() / "seed/deep/er/file", "new\n");
  EXPECT_TRUE(eventually([&] { return inside("cat deep/er/file").out == "new\n"; }));
  fs::remove(project() / "seed/first");
  EXPECT_TRUE(eventually([&] { return inside("ls first").status != 0; }));
  EXPECT_NE(inside("ls ignored").status, 0);
  watching->signal(SIGINT);
  EXPECT_EQ(watching->status(), 0) << watching->seen();
}

TEST_F(Flags, watch__restart) {
  file("services: {web: {command: 'echo begun; sleep 1000', readiness: {exec: 'true'}}}\n");
  const auto watching = at_a_terminal({"watch", "--restart", "web", "--progress", "plain"});
  ASSERT_TRUE(watching->see("watching ")) << watching->seen();
  EXPECT_EQ(expect(0, {"logs", "web"}).out, "begun\n");
  write_file(project() / "seed/first", "changed\n");
  EXPECT_TRUE(eventually([&] { return expect(0, {"logs", "web"}).out == "begun\nbegun\n"; }));
  EXPECT_EQ(inside("cat first").out, "changed\n");
}

TEST_F(Verbs, CpGoesFromOneWorkspaceToAnother) {
  file();
  expect(0, {"apply"});
  expect(0, {"fork", "other"});
  EXPECT_EQ(
      inside("mkdir -p tree/deep; echo mine > tree/deep/file; chmod 755 tree/deep/file; echo top > top")
          .status,
      0);
  expect(0, {"cp", ":top", "other:"});
  expect(0, {"cp", ":tree", "other:copy"});
  expect(0, {"cp", "other:copy/deep", "test:back"});
  expect(0, {"cp", "test:top", ":again"});
  expect(0, {"cp", "other:top", "here"});
  expect(0, {"cp", "here", "other:there"});
  EXPECT_EQ(
      pyro({"exec", "-w", "other", "--", "cat", "top", "copy/deep/file", "there"}).out, "top\nmine\ntop\n");
  EXPECT_EQ(inside("cat back/file again; stat -c %a back/file").out, "mine\ntop\n755\n");
  EXPECT_EQ(read_file(project() / "here"), "top\n");
  expect(1, {"cp", ":nothing", "other:"});
  expect(1, {"cp", ":top", "nobody:"});
}

} // namespace
} // namespace pyro::testing
