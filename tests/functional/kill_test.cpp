// Everything can be killed at any moment: the next command tells the truth, goes on, and nothing is left.
#include "../support/home.hpp"
#include "../support/leftovers.hpp"

#include <pyro/base/json_access.hpp>

#include <random>
#include <signal.h>
#include <thread>

namespace pyro::testing {
namespace {

class Killed : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    if (!IsSkipped() && !HasFatalFailure()) {
      spec(k_services);
      write_file(project() / "a.txt", "one\n");
    }
  }

  static constexpr const char* k_services = R"(prepare:
  - {id: work, run: "sleep 0.2; echo made > made.txt"}
services:
  keeper:
    command: "echo up > /tmp/up; exec sleep 1000"
    readiness: {file: /tmp/up}
snapshots:
  ready: {at: ready}
)";

  /// Processes of this home whose arguments or name contain `name`; never the test's own children of that
  /// name.
  std::vector<pid_t> ours_called(const std::string& name) {
    std::vector<pid_t> found;
    for (const auto pid : processes_naming(state().string())) {
      std::string comm;
      try {
        comm = read_file("/proc/" + std::to_string(pid) + "/comm");
      } catch (const std::exception&) {
        continue; // it just ended
      }
      if (comm.starts_with(name) || describe(pid).find(name) != std::string::npos) {
        found.push_back(pid);
      }
    }
    return found;
  }

  /// The workspace works: content, services, a further apply.
  void expect_sound() {
    expect(0, {"apply", "--yes"});
    EXPECT_EQ(inside("cat a.txt made.txt /tmp/up").out, "one\nmade\nup\n");
    const auto again = expect(0, {"apply"});
    EXPECT_NE(again.all().find("othing to do"), std::string::npos) << again;
  }
};

TEST_F(Killed, SupervisorIsKilled) {
  expect(0, {"apply"});
  EXPECT_EQ(inside("echo kept > kept.txt; sync kept.txt").status, 0);
  const auto supervisors = ours_called("pyro-supervisor");
  ASSERT_FALSE(supervisors.empty()) << "there is no supervisor to kill";
  for (const auto pid : supervisors) {
    ::kill(pid, SIGKILL);
  }
  EXPECT_TRUE(eventually([&] {
    return processes_naming(state().string()).empty() && processes_in_groups_of(workspace_ids()).empty();
  })) << "the sandbox outlived its supervisor";
  const auto status = json({"status"});
  EXPECT_EQ(status.value("state", ""), "stopped") << status;
  EXPECT_NE(status.value("last_error", "").find("backing guest process"), std::string::npos) << status;
  expect(0, {"apply"});
  EXPECT_EQ(inside("cat kept.txt /tmp/up").out, "kept\nup\n") << "the content was lost";
}

TEST_F(Killed, AgentIsKilled) {
  expect(0, {"apply"});
  // pid 1 of the sandbox: the process of ours that is the first of its pid namespace
  pid_t agent = 0;
  for (const auto pid : processes_naming(state().string())) {
    const auto status = read_file("/proc/" + std::to_string(pid) + "/status");
    const auto at = status.find("NSpid:");
    const auto line = status.substr(at, status.find('\n', at) - at);
    if (line.ends_with("\t1") && std::count(line.begin(), line.end(), '\t') >= 2) {
      agent = pid;
    }
  }
  ASSERT_GT(agent, 0) << "no process of the sandbox is its pid 1";
  ::kill(agent, SIGKILL);
  EXPECT_TRUE(eventually([&] { return state_of_workspace() == "stopped"; })) << pyro({"status"});
  EXPECT_TRUE(eventually([&] { return processes_naming(state().string()).empty(); }));
  expect_sound();
}

TEST_F(Killed, ApplyIsKilledAtAnyMoment) {
  std::mt19937 dice{20'26};
  for (int round = 0; round < 8; ++round) {
    const auto wait = std::chrono::milliseconds(std::uniform_int_distribution<int>(0, 900)(dice));
    {
      auto apply = start({"apply", "--yes"});
      std::this_thread::sleep_for(wait);
      apply.signal(SIGKILL);
      apply.wait();
    }
    const auto status = pyro({"status"});
    EXPECT_TRUE(status.status == 0 || !status.err.empty())
        << "killed after " << wait.count() << " ms: " << status;
    EXPECT_EQ(status.all().find("internal"), std::string::npos) << status;
    expect_sound();
    if (HasFailure()) {
      FAIL() << "after an apply that was killed after " << wait.count() << " ms";
    }
    expect(0, {"destroy", "--yes", "--snapshots"});
    append_file(project() / "pyro.yaml", "# round\n");
    replace_in_file(
        project() / "pyro.yaml", "sleep 0.", "sleep 0.1; sleep 0."); // nothing cached: all of it runs again
    if (round == 3) {
      replace_in_file(project() / "pyro.yaml", "sleep 0.1; ", "");
    }
  }
}

TEST_F(Killed, ResetAndSnapshotAreKilledAtAnyMoment) {
  expect(0, {"apply"});
  std::mt19937 dice{7};
  for (int round = 0; round < 10; ++round) {
    const auto wait = std::chrono::milliseconds(std::uniform_int_distribution<int>(0, 60)(dice));
    inside("echo round >> a.txt");
    {
      auto command = round % 2 == 0 ? start({"reset", "--yes"})
                                    : start({"snapshot", "save", "s" + std::to_string(round)});
      std::this_thread::sleep_for(wait);
      command.signal(SIGKILL);
      command.wait();
    }
    expect(0, {"status"});
    expect(0, {"snapshot", "ls"});
    expect(0, {"reset", "--yes"});
    EXPECT_EQ(inside("cat a.txt made.txt /tmp/up").out, "one\nmade\nup\n");
    if (HasFailure()) {
      FAIL() << "round " << round << ", killed after " << wait.count() << " ms";
    }
  }
}

TEST_F(Killed, DestroyIsKilledAtAnyMoment) {
  std::mt19937 dice{11};
  for (int round = 0; round < 6; ++round) {
    expect(0, {"apply", "--yes"});
    {
      auto command = start({"destroy", "--yes", "--snapshots"});
      std::this_thread::sleep_for(std::chrono::milliseconds(std::uniform_int_distribution<int>(0, 40)(dice)));
      command.signal(SIGKILL);
      command.wait();
    }
    if (workspace_ids().empty()) {
      EXPECT_NE(pyro({"status"}).status, 0) << "there is none any more"; // whatever comes next cleans up
    } else {
      expect(0, {"destroy", "--yes", "--snapshots"});
    }
    // A helper of the killed command may hold its lock for a moment longer: then the command after next
    // cleans up.
    EXPECT_TRUE(eventually([&] {
      std::ignore = pyro({"ls"});
      std::ignore = pyro({"status"});
      return leftovers(state().string(), {}).empty();
    })) << "round "
        << round << ": " << leftovers(state().string(), {}).at(0);
  }
}

TEST_F(Killed, ExecIsKilledAndItsCommandEnds) {
  expect(0, {"apply"});
  {
    auto exec = start({"exec", "--", "sleep", "1234"});
    EXPECT_TRUE(eventually([&] {
      return inside("cat /proc/[0-9]*/cmdline | tr '\\0' ' '").out.find("sleep 1234") != std::string::npos;
    }));
    exec.signal(SIGKILL);
    exec.wait();
  }
  EXPECT_TRUE(eventually([&] {
    return inside("cat /proc/[0-9]*/cmdline | tr '\\0' ' '").out.find("sleep 1234") == std::string::npos;
  })) << "the command outlived its client";
  expect_sound();
}

TEST_F(Killed, AnInterruptedApplyStopsCleanly) {
  replace_in_file(project() / "pyro.yaml", "sleep 0.2", "sleep 30; : in-the-step");
  auto apply = start({"apply", "--yes"});
  EXPECT_TRUE(eventually([&] { return !processes_naming("in-the-step").empty(); }));
  apply.signal(SIGINT);
  const auto outcome = apply.wait();
  EXPECT_EQ(outcome.shell_status(), 130);
  replace_in_file(project() / "pyro.yaml", "sleep 30", "sleep 0");
  expect_sound();
}

} // namespace
} // namespace pyro::testing
