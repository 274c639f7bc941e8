// The agent's place taken by somebody else's program (tests/support/fake_agent): whatever it says, those
// outside neither crash nor grow, write nowhere else, and get the sandbox away.
#include "../support/home.hpp"
#include "../support/leftovers.hpp"

#include <csignal>
#include <fstream>
#include <unistd.h>

namespace pyro::testing {
namespace {

constexpr int k_bug = 70; // ErrorCode::internal

class FakeAgent : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    if (IsSkipped()) {
      return;
    }
    ASSERT_TRUE(fs::exists(binary_dir() / "bin/fake-agent"));
    m_helpers = root() / "helpers";
    fs::create_directories(m_helpers);
    fs::create_symlink(bin / "pyro-supervisor", m_helpers / "pyro-supervisor");
    fs::copy_file(binary_dir() / "bin/fake-agent", m_helpers / "pyro-agent");
    m_options.env["PYRO_LIBEXEC"] = m_helpers.string();
  }

  /// A sandbox whose agent tells these lies.
  Result apply(const std::string& lies, const std::string& body = "") {
    spec(body);
    write_file(project() / "lie", lies);
    return pyro({"apply"}, m_options);
  }

  /// Ended by itself, without a signal, and not reported as a mistake of pyro's.
  static void check_orderly(const Result& result) {
    EXPECT_LT(result.status, 128) << result;
    EXPECT_GE(result.status, 0) << result;
    EXPECT_NE(result.status, k_bug) << result;
    check_harmless(result.all());
  }

  /// What ends by itself in any case; two minutes are far beyond.
  RunOptions patient() const {
    auto options = m_options;
    options.timeout = std::chrono::seconds(120);
    return options;
  }

  static void check_harmless(const std::string& text) {
    for (const auto* sequence : {"\x1b]", "\x1b[", "\x07", "\xc2\x9b", "\xe2\x80\xae"}) {
      EXPECT_EQ(text.find(sequence), std::string::npos) << "a terminal sequence came through: " << text;
    }
  }

  pid_t supervisor() {
    const auto status = json({"status"}, m_options);
    return status["supervisor_pid"].is_number() ? status["supervisor_pid"].get<pid_t>() : 0;
  }

  static long highest_kib(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/status");
    for (std::string word; file >> word;) {
      if (word == "VmHWM:") {
        long kib = 0;
        file >> kib;
        return kib;
      }
    }
    return 0;
  }

  /// Of what the services of all workspaces said, as stop keeps it.
  std::uintmax_t kept_bytes() const {
    std::uintmax_t bytes = 0;
    std::error_code none;
    for (const auto& workspace : fs::directory_iterator(state() / "workspaces")) {
      for (const auto& entry : fs::recursive_directory_iterator(workspace.path() / "services", none)) {
        bytes += entry.is_regular_file(none) ? entry.file_size(none) : 0;
      }
    }
    return bytes;
  }

  /// A sandbox that hears nothing any more costs a destroy its whole patience: its supervisor ends before.
  void destroy_at_once(pid_t supervisor) {
    ASSERT_GT(supervisor, 0);
    ::kill(supervisor, SIGKILL);
    expect(0, {"destroy", "--yes", "--snapshots"}, m_options);
  }

  /// A command that would go on for ever; what memory it took at most, in KiB.
  long interrupted(const Arguments& arguments) {
    auto child = start(arguments, m_options);
    ::sleep(1);
    const auto kib = highest_kib(child.pid());
    EXPECT_GT(kib, 0) << arguments.at(0) << " ended by itself";
    EXPECT_TRUE(ends_when_interrupted(child, 1, 10)) << arguments.at(0) << " hangs";
    return kib;
  }

  fs::path m_helpers;
  RunOptions m_options;
};

/// What proves that the fixture is right: with nothing to lie about all of it works.
TEST_F(FakeAgent, ThatDoesNotLieIsAnAgent) {
  ASSERT_EQ(apply("").status, 0);
  expect(0, {"exec", "--", "x"}, m_options);
  expect(0, {"status"}, m_options);
  expect(0, {"stop"}, m_options);
}

TEST_F(FakeAgent, WhoseGreetingMakesNoSenseEndsTheStart) {
  for (const auto* lie : {"wrong_types", "no_object", "die", "rubbish"}) {
    const auto result = apply(std::string("/hello ") + lie);
    check_orderly(result);
    EXPECT_NE(result.status, 0) << lie;
    EXPECT_EQ(result.all().find("did not come up within"), std::string::npos) << lie << ": " << result;
  }
}

TEST_F(FakeAgent, AnswersOfExecAreTakenForWhatTheyAre) {
  for (const auto* lie : {"no_object", "wrong_types", "deep", "sequences", "note", "die"}) {
    ASSERT_EQ(apply(std::string("/exec ") + lie).status, 0) << lie;
    const auto result = pyro({"exec", "--", "x"}, m_options);
    EXPECT_NE(result.status, 0) << lie;
    check_orderly(result);
    check_orderly(pyro({"exec", "--json", "--", "x"}, m_options));
    EXPECT_LT(result.all().size(), 300'000U) << lie;
    check_orderly(expect(0, {"status"}, m_options));
    expect(0, {"destroy", "--yes", "--snapshots"}, m_options);
  }
  ASSERT_EQ(apply("/exec huge_code").status, 0);
  EXPECT_EQ(pyro({"exec", "--", "x"}, m_options).status, 255);
}

TEST_F(FakeAgent, WhoLiesIsNotWhatHidesTheOthers) {
  const auto other = another_project("honest");
  spec("", other);
  const auto own = json({"apply"}, {.cwd = other});
  for (const auto* lie : {"no_object", "wrong_types", "services_elsewhere", "sequences", "die"}) {
    ASSERT_EQ(apply(std::string("/services/status ") + lie + "\n/memory/kills " + lie).status, 0) << lie;
    const auto shown = expect(0, {"ls", "--json"}, m_options);
    check_orderly(shown);
    const auto list = parse_json(shown.out, "the list");
    std::map<std::string, Json> of;
    for (const auto& workspace : list.at("workspaces")) {
      of[workspace.at("checkout").get<std::string>()] = workspace;
    }
    EXPECT_TRUE(of.contains(other.string())) << lie << ": " << shown;
    ASSERT_TRUE(of.contains(project().string())) << lie << ": " << shown;
    if (lie != std::string("die") && lie != std::string("services_elsewhere")) {
      EXPECT_TRUE(contains(of[project().string()].at("notes").dump(), "agent")) << lie << ": " << shown;
    }
    check_orderly(expect(0, {"status"}, m_options));
    check_orderly(pyro({"stop"}, m_options));
    EXPECT_FALSE(fs::exists("/tmp/pyro-fake-agent-was-here.json"));
    expect(0, {"destroy", "--yes", "--snapshots"}, m_options);
  }
}

TEST_F(FakeAgent, LogsWithoutEndAreNotKept) {
  for (const auto* lie : {"endless_data", "endless_messages", "sequences", "no_object"}) {
    ASSERT_EQ(apply(std::string("/services/status services_many\n/services/logs ") + lie).status, 0) << lie;
    check_orderly(expect(0, {"stop"}, m_options));
    EXPECT_LT(kept_bytes(), 8U << 20) << lie;
    expect(0, {"destroy", "--yes", "--snapshots"}, m_options);
  }
}

TEST_F(FakeAgent, SilenceEndsWithASignal) {
  ASSERT_EQ(apply("/exec silent\n/services/logs silent\n/services/status services_many").status, 0);
  interrupted({"exec", "--", "x"});
  interrupted({"logs", "s1"});
}

/// A hundred services whose logs never come cost no more than one. The bound is in the code; what the test
/// sees is that there is one.
TEST_F(FakeAgent, SilenceNeverStopsAStop) {
  ASSERT_EQ(apply("/services/logs silent\n/services/status services_many").status, 0);
  const auto stopped = pyro({"stop"}, patient());
  EXPECT_EQ(stopped.status, 0) << stopped;
  EXPECT_TRUE(contains(stopped.all(), "logs are not kept")) << stopped;
}

TEST_F(FakeAgent, ANeverEndingShutdownIsEnded) {
  ASSERT_EQ(apply("/shutdown silent").status, 0);
  const auto destroyed = pyro({"destroy", "--yes", "--snapshots"}, patient());
  EXPECT_EQ(destroyed.status, 0) << destroyed;
}

/// Processes were killed, and the agent does not know which: said without a name.
TEST_F(FakeAgent, KillsWithoutAVictimAreTold) {
  ASSERT_EQ(apply("/memory/kills killed_nobody").status, 0);
  for (const auto& words : std::vector<Arguments>{{"status"}, {"ls"}}) {
    const auto told = expect(0, words, m_options);
    check_orderly(told);
  }
  const auto status = json({"status"}, m_options);
  EXPECT_TRUE(contains(status.at("notes").dump(), "3 processes were killed")) << status.dump(2);
  EXPECT_TRUE(status.at("oom_kills").at("last").is_null()) << status.dump(2);
}

/// Whatever it says of what it takes, status and top go on with what this machine counts.
TEST_F(FakeAgent, WhatItTakesIsBelievedOnlyAsFarAsItMakesSense) {
  for (const auto* lie : {"no_object", "wrong_types", "deep", "sequences", "services_odd", "die"}) {
    ASSERT_EQ(apply(std::string("/resources ") + lie).status, 0) << lie;
    check_orderly(expect(0, {"status"}, m_options));
    check_orderly(expect(0, {"top", "--once", "--interval", "100ms"}, m_options));
    const auto usage = json({"top", "--once", "--interval", "100ms"}, m_options);
    EXPECT_EQ(usage.at("count"), lie == std::string("die") ? 0 : 1) << lie << usage.dump(2);
    check_orderly(pyro({"stop"}, m_options));
    expect(0, {"destroy", "--yes", "--snapshots"}, m_options);
  }
}

TEST_F(FakeAgent, FloodsFillNobodysMemory) {
  constexpr long k_enough = 300 << 10; // KiB
  for (const auto* lie : {"endless_data", "endless_messages"}) {
    ASSERT_EQ(apply(std::string("/exec ") + lie).status, 0) << lie;
    EXPECT_LT(interrupted({"exec", "--", "x"}), k_enough) << lie;
    const auto pid = supervisor();
    EXPECT_LT(highest_kib(pid), k_enough) << lie;
    destroy_at_once(pid);
  }
}

TEST_F(FakeAgent, FramesThatBreakTheChannelEndTheSandboxAlone) {
  constexpr long k_enough = 300 << 10; // KiB
  for (const auto* lie : {"rubbish", "half", "pings", "settings", "go_away"}) {
    ASSERT_EQ(apply(std::string("/exec ") + lie).status, 0) << lie;
    const auto pid = supervisor();
    ASSERT_GT(pid, 0);
    auto child = start({"exec", "--", "x"}, m_options);
    ::sleep(1);
    EXPECT_LT(highest_kib(pid), k_enough) << lie;
    EXPECT_TRUE(ends_when_interrupted(child, 1, 10)) << std::string("exec with ") + lie << " hangs";
    if (lie != std::string("half")) { // which is silence to whoever asks: its whole patience
      check_orderly(expect(0, {"status"}, m_options));
    }
    ::kill(pid, SIGKILL); // where it is still there: see destroy_at_once
    expect(0, {"destroy", "--yes", "--snapshots"}, m_options);
  }
}

/// An agent that says goodbye takes no more calls: they must fail instead of waiting for ever.
TEST_F(FakeAgent, AGoodbyeEndsTheSandbox) {
  ASSERT_EQ(apply("/exec go_away").status, 0);
  const auto result = pyro({"exec", "--", "x"}, {.env = m_options.env, .timeout = std::chrono::seconds(60)});
  check_orderly(result);
  EXPECT_NE(result.status, 0);
}

} // namespace
} // namespace pyro::testing
