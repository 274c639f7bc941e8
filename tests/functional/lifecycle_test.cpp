// A workspace from apply to destroy, as a person would use it.
#include "../support/home.hpp"
#include "../support/leftovers.hpp"

#include <pyro/base/json_access.hpp>

namespace pyro::testing {
namespace {

class Quickstart : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    if (!IsSkipped() && !HasFatalFailure()) {
      copy_example("quickstart", project());
    }
  }

  std::string fetch(const std::string& path) {
    return command({(bin / "pyro").string(), "exec", "--", "curl", "-sS", "http://127.0.0.1:8080" + path})
        .out;
  }
};

TEST_F(Quickstart, ComesUpReadyAndTheSecondApplyHasNothingToDo) {
  expect(0, {"validate"});
  const auto first = expect(0, {"apply"});
  EXPECT_EQ(state_of_workspace(), "started");
  EXPECT_EQ(Json::parse(fetch("/healthz"), nullptr, false).value("prices", 0), 8) << first;

  const std::string server = "pgrep -f '[s]erver.py'"; // not the shell that asks
  const auto pid = inside(server).out;
  EXPECT_FALSE(pid.empty());
  const auto second = expect(0, {"apply"});
  EXPECT_TRUE(contains(second.all(), "othing to do")) << second;
  EXPECT_EQ(inside(server).out, pid) << "the second apply ran something";
  EXPECT_EQ(json({"apply"}).value("changed", true), false);
}

TEST_F(Quickstart, DestroyLeavesNothing) {
  expect(0, {"apply"});
  const auto ids = workspace_ids();
  EXPECT_EQ(ids.size(), 1u);
  EXPECT_FALSE(processes_naming(state().string()).empty())
      << "the check for leftovers must see a running workspace";
  expect(0, {"destroy", "--yes", "--snapshots"});
  EXPECT_TRUE(eventually([&] { return leftovers(state().string(), ids).empty(); }));
  EXPECT_NE(pyro({"exec", "--", "true"}).status, 0);
}

TEST_F(Quickstart, TheHostDoesNotSeeWhatHappensInside) {
  const auto before = tree_of(project());
  expect(0, {"apply"});
  EXPECT_EQ(
      inside("echo gone > server.py; rm -rf /usr/bin/python3 /etc/hostname; rm /usr/bin/ls; echo x > "
             "/usr/bin/ls")
          .status,
      0);
  EXPECT_EQ(tree_of(project()), before);
  EXPECT_TRUE(fs::exists("/usr/bin/python3"));
  EXPECT_GT(fs::file_size("/usr/bin/ls"), 1000u);
}

TEST_F(Quickstart, DriftIsSeenKeptThrownAwayAndBroughtBack) {
  expect(0, {"apply"});
  EXPECT_EQ(
      inside("echo '{\"kiwi\": 1}' > data/prices.json && echo note > notes.txt && rm README.md").status, 0);
  EXPECT_EQ(fetch("/price/kiwi"), "{\"kiwi\": 1}\n");

  const auto diff = json({"diff"});
  EXPECT_TRUE(diff.value("changed", false));
  std::map<std::string, std::string> changed;
  for (const auto& entry : diff.value("entries", Json::array())) {
    changed[fs::path(entry.value("path", "")).filename().string()] = entry.value("status", "");
  }
  EXPECT_EQ(changed["notes.txt"], "added") << diff;
  EXPECT_EQ(changed["README.md"], "deleted") << diff;
  EXPECT_TRUE(changed.contains("prices.json")) << diff;
  const auto plan = expect(0, {"plan", "--detailed-exitcode"}); // drift alone is nothing to do
  EXPECT_TRUE(contains(plan.out, "A /workspace/notes.txt") && contains(plan.out, "D /workspace/README.md"))
      << "the plan does not mention the drift: " << plan;

  expect(0, {"snapshot", "save", "x"});
  // Break everything that can be broken.
  inside("rm -rf /usr/bin/* data *.py; head -c 20000000 /dev/zero > /tmp/fill; kill -9 -1");
  EXPECT_NE(inside("ls /").status, 0) << "nothing was broken";

  expect(0, {"reset", "--to", "x", "--yes"});
  EXPECT_EQ(fetch("/price/kiwi"), "{\"kiwi\": 1}\n");
  EXPECT_EQ(inside("cat notes.txt; ls README.md /tmp/fill 2>/dev/null").out, "note\n");

  expect(0, {"reset", "--yes"});
  EXPECT_EQ(Json::parse(fetch("/healthz"), nullptr, false).value("prices", 0), 8);
  EXPECT_EQ(inside("ls README.md").status, 0);
  EXPECT_FALSE(json({"diff"}).value("changed", true));

  expect(0, {"undo"});
  EXPECT_EQ(inside("cat notes.txt").out, "note\n");
}

TEST_F(Quickstart, NamedSnapshotsOfTheFileAreThere) {
  expect(0, {"apply"});
  std::set<std::string> names;
  const auto list = json({"snapshot", "ls"});
  for (const auto& snapshot : list.value("snapshots", Json::array())) {
    names.insert(snapshot.value("snapshot_name", ""));
  }
  EXPECT_TRUE(names.contains("clean") && names.contains("ready")) << list;

  expect(0, {"reset", "--to", "clean", "--yes"});
  EXPECT_EQ(inside("ls data/prices.json").status, 0);
  expect(0, {"reset", "--to", "ready", "--yes"});
  EXPECT_EQ(fetch("/price/apple"), "{\"apple\": 0.45}\n");

  expect(0, {"snapshot", "save", "mine"});
  EXPECT_NE(pyro({"snapshot", "save", "mine"}).status, 0) << "a name is used once";
  expect(0, {"snapshot", "rm", "mine"});
  EXPECT_NE(pyro({"reset", "--to", "mine", "--yes"}).status, 0);
}

TEST_F(Quickstart, WhatFollowsFromAnEditIsPlannedAndExplained) {
  expect(0, {"apply"});
  append_file(project() / "make_data.py", "# edited\n");
  const auto plan = expect(0, {"plan"});
  EXPECT_TRUE(contains(plan.out, "prepare.data")) << plan;
  expect(2, {"plan", "--detailed-exitcode"});
  const auto why = expect(0, {"why", "prepare.data"});
  EXPECT_TRUE(contains(why.out, "make_data.py") || contains(why.out, "seed")) << why;
  expect(0, {"apply", "--yes"});
  EXPECT_EQ(inside("tail -n 1 make_data.py").out, "# edited\n");
  expect(0, {"plan", "--detailed-exitcode"});

  replace_in_file(project() / "pyro.yaml", "PYTHONUNBUFFERED: \"1\"", "PYTHONUNBUFFERED: \"yes\"");
  const auto env = expect(0, {"plan"});
  EXPECT_TRUE(contains(env.out, "services.web")) << "a variable restarts the service: " << env;
  EXPECT_FALSE(contains(env.out, "rebuild")) << "a variable rebuilds nothing: " << env;
}

TEST_F(Quickstart, ReformattingTheFileChangesNothing) {
  expect(0, {"apply"});
  auto text = read_file(project() / "pyro.yaml");
  write_file(project() / "pyro.yaml", "# a new comment\n\n" + text + "\nx-note: {by: nobody}\n");
  const auto plan = expect(0, {"plan", "--detailed-exitcode"});
  EXPECT_FALSE(contains(plan.out, "rebuild")) << plan;
}

class Lifecycle : public Functional {};

TEST_F(Lifecycle, ApprovalIsAskedOnlyWhenSomethingWouldBeLost) {
  spec();
  write_file(project() / "a.txt", "one\n");
  expect(0, {"apply"});
  append_file(project() / "a.txt", "two\n");
  expect(0, {"apply"}); // nothing inside was touched, so nothing is lost
  EXPECT_EQ(inside("cat a.txt; echo mine > mine.txt").out, "one\ntwo\n");

  append_file(project() / "a.txt", "three\n");
  const auto refused = expect(7, {"apply"});
  EXPECT_TRUE(contains(refused.all(), "mine.txt")) << "it does not say what would be lost: " << refused;
  EXPECT_EQ(inside("cat a.txt mine.txt").out, "one\ntwo\nmine\n") << "a refused apply touched something";
  expect(0, {"apply", "--yes"});
  EXPECT_EQ(inside("cat a.txt; ls mine.txt 2>/dev/null").out, "one\ntwo\nthree\n");
  expect(0, {"undo"});
  EXPECT_EQ(inside("cat mine.txt").out, "mine\n");
}

TEST_F(Lifecycle, ExecPassesStreamsAndStatusesOn) {
  spec();
  expect(0, {"apply"});
  RunOptions input;
  input.input = std::string(300'000, 'x') + "\nend\n";
  const auto echoed = pyro({"exec", "--", "cat"}, input);
  EXPECT_EQ(echoed.out.size(), input.input.size());
  EXPECT_EQ(echoed.out, input.input);
  EXPECT_EQ(inside("echo out; echo err >&2; exit 42").status, 42);
  EXPECT_EQ(inside("echo out; echo err >&2").err, "err\n");
  EXPECT_EQ(pyro({"exec", "--", "/nowhere/nothing"}).status, 127);
  EXPECT_EQ(pyro({"exec", "--", "/etc/passwd"}).status, 126);
  EXPECT_EQ(inside("kill -TERM $$").status, 143);
  const auto stopped = pyro({"exec", "--timeout", "300ms", "--", "sleep", "30000"});
  EXPECT_EQ(stopped.status, 124) << stopped;
  EXPECT_EQ(inside("pgrep -x sleep || cat /proc/[0-9]*/comm | grep -x sleep").out, "")
      << "the time is over, the process is not";
}

TEST_F(Lifecycle, TheFourServicesOfAnOrchestraStartInOrder) {
  spec(R"(services:
  first:
    command: "echo up > /tmp/first; exec sleep 1000"
    readiness: {file: /tmp/first}
  second:
    oneshot: true
    command: "cat /tmp/first > /tmp/second"
    depends_on: [first]
  third:
    command: "cat /tmp/second; echo listening now; exec sleep 1000"
    depends_on: {second: {condition: completed}}
    readiness: {log: "listening now"}
  fourth:
    command: "exec sleep 1000"
    depends_on: [third]
    readiness: {exec: "test -e /tmp/second"}
)");
  expect(0, {"apply"});
  EXPECT_EQ(inside("cat /tmp/second").out, "up\n");
  EXPECT_TRUE(contains(expect(0, {"logs", "third"}).out, "listening now"));
  const auto status = expect(0, {"status"});
  for (const auto* name : {"first", "second", "third", "fourth"}) {
    EXPECT_TRUE(contains(status.out, name)) << status;
  }
}

TEST_F(Lifecycle, AServiceThatDiesIsRestartedAsDeclared) {
  spec(R"(services:
  flaky:
    command: "echo start >> /tmp/starts; exec sleep 1000"
    restart: always
    readiness: {file: /tmp/starts}
)");
  expect(0, {"apply"});
  inside("pkill -9 -x sleep || kill -9 $(grep -lx sleep /proc/[0-9]*/comm | cut -d/ -f3)");
  EXPECT_TRUE(eventually([&] { return inside("wc -l < /tmp/starts").out == "2\n"; })) << pyro({"status"});
}

TEST_F(Lifecycle, CacheSurvivesDestroyAndStepsRunOnce) {
  spec(R"(prepare:
  - {id: once, run: "date +%s%N > made.txt"}
)");
  expect(0, {"apply"});
  const auto made = inside("cat made.txt").out;
  EXPECT_GT(made.size(), 10u);
  expect(0, {"destroy", "--yes"});
  expect(0, {"apply"});
  EXPECT_EQ(inside("cat made.txt").out, made) << "a cached step ran again";
  replace_in_file(project() / "pyro.yaml", "date +%s%N", "date -u +%s%N");
  expect(0, {"apply", "--yes"});
  EXPECT_NE(inside("cat made.txt").out, made) << "a changed step did not run again";
}

TEST_F(Lifecycle, StepsSeeOnlyTheirInputs) {
  write_file(project() / "wanted.txt", "wanted\n");
  write_file(project() / "other.txt", "other\n");
  write_file(
      project() / "pyro.yaml",
      "version: 1\nname: test\nenvironment:\n  image: host\n  setup:\n"
      "    - {id: look, inputs: [wanted.txt], run: \"ls > /var/tmp/seen\"}\nseed: {from: .}\n");
  expect(0, {"apply"});
  EXPECT_EQ(inside("cat /var/tmp/seen").out, "wanted.txt\n");
  write_file(project() / "other.txt", "changed\n");
  const auto plan = expect(0, {"plan"});
  EXPECT_TRUE(contains(plan.out, "=   environment.setup.look")) << plan;
  write_file(project() / "wanted.txt", "changed\n");
  const auto why = expect(0, {"why", "environment.setup.look"});
  EXPECT_TRUE(contains(why.out, "wanted.txt")) << "the differing input is not named: " << why;
  EXPECT_TRUE(contains(why.out, "pyro.yaml:")) << "the place is not named: " << why;
}

TEST_F(Lifecycle, ATtlEndsTheWorkspaceByItself) {
  spec("lifecycle: {ttl: 3s, on_expire: stop}\n");
  expect(0, {"apply"});
  EXPECT_TRUE(eventually([&] { return processes_naming(state().string()).empty(); }, 20))
      << "nothing ended it";
  EXPECT_NE(state_of_workspace(), "started");
}

TEST_F(Lifecycle, AWorkspaceThatNobodyUsesStops) {
  spec("lifecycle: {idle: 2s}\nservices: {s: {command: sleep 1000}}\n");
  expect(0, {"apply"});
  EXPECT_TRUE(eventually([&] { return processes_naming(state().string()).empty(); }, 20))
      << "nothing stopped it";
  EXPECT_EQ(state_of_workspace(), "stopped");
  EXPECT_TRUE(contains(json({"status"})["last_error"].get<std::string>(), "nobody used it"));
  expect(0, {"start"});
  EXPECT_EQ(inside("echo back").out, "back\n");
}

TEST_F(Lifecycle, AWorkspaceInUseIsNotIdle) {
  spec("lifecycle: {idle: 2s}\n");
  expect(0, {"apply"});
  EXPECT_EQ(inside("sleep 5; echo still there").out, "still there\n");
}

TEST_F(Lifecycle, AnIdleWorkspaceCanBeDestroyedAndBroughtBack) {
  spec("lifecycle: {idle: 2s, on_idle: destroy}\n");
  expect(0, {"apply"});
  inside("echo precious > note");
  EXPECT_TRUE(eventually([&] { return processes_naming(state().string()).empty(); }, 20));
  EXPECT_EQ(state_of_workspace(), "destroyed");
  expect(0, {"undo"});
  EXPECT_EQ(inside("cat note").out, "precious\n");
}

TEST_F(Lifecycle, AChangedTimeToLiveReachesTheRunningSandbox) {
  spec("lifecycle: {ttl: 1h}\n");
  expect(0, {"apply"});
  const auto pid = inside("echo $PPID; cat /proc/sys/kernel/random/boot_id");
  spec("lifecycle: {ttl: 3s}\n");
  expect(0, {"apply"});
  EXPECT_TRUE(eventually([&] { return processes_naming(state().string()).empty(); }, 20))
      << "it goes by the old time: " << pid;
  EXPECT_EQ(state_of_workspace(), "stopped");
}

TEST_F(Lifecycle, InitWritesAFileThatApplies) {
  write_file(project() / "hello.txt", "hello\n");
  expect(0, {"init"});
  expect(0, {"validate"});
  expect(0, {"apply"});
  EXPECT_EQ(inside("cat hello.txt").out, "hello\n");
  EXPECT_NE(pyro({"init"}).status, 0) << "init overwrote a file";
}

TEST_F(Lifecycle, DoctorSpeaksForThisMachine) {
  const auto doctor = json({"doctor"});
  EXPECT_TRUE(doctor.contains("checks")) << doctor;
  EXPECT_GT(doctor.value("checks", Json::array()).size(), 4u) << doctor;
}

} // namespace
} // namespace pyro::testing
