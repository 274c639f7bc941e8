// Attacks from inside a sandbox (security.md part 1, A to D). tests/programs holds the attackers; what they
// report is checked, and then the host itself is asked whether anything changed. Each attack must be refused
// for an expected reason: one that failed because something is missing has proven nothing.
#include "../support/home.hpp"
#include "../support/host_state.hpp"
#include "../support/leftovers.hpp"

#include <pyro/base/json_access.hpp>

#include <sstream>

namespace pyro::testing {
namespace {

class Attacks : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    spec("snapshots: {clean: {at: seed}}\n");
    write_file(project() / "canary.txt", "untouched\n");
    for (const auto& entry : fs::directory_iterator(binary_dir() / "bin/attacks")) {
      fs::copy_file(entry.path(), project() / entry.path().filename());
    }
  }

  /// Runs the attacker inside, prints its lines, and checks every verdict. `allowed` are attacks that this
  /// sandbox does not claim to withstand here.
  Result attack(
      const std::string& program, const Arguments& arguments = {},
      const std::set<std::string>& allowed = {}) {
    Arguments argv{"exec", "--", "./" + program};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    const auto result = pyro(argv);
    EXPECT_EQ(result.status, 0) << program << ": " << result;
    judge(result.out, allowed);
    return result;
  }

  static void judge(const std::string& report, const std::set<std::string>& allowed = {}) {
    int verdicts = 0;
    bool finished = false;
    std::istringstream in(report);
    for (std::string line; std::getline(in, line);) {
      finished = finished || line.starts_with("done:");
      const auto name = line.substr(0, line.find(": "));
      const auto is = [&](const char* verdict) {
        return line.find(std::string(": ") + verdict + " ") != std::string::npos;
      };
      verdicts += is("blocked") || is("SUCCEEDED") || is("missing") ? 1 : 0;
      if (is("SUCCEEDED")) {
        EXPECT_TRUE(allowed.contains(name)) << line;
      } else if (is("missing")) {
        ADD_FAILURE() << "failed for a reason that proves nothing: " << line;
      }
    }
    EXPECT_TRUE(finished) << "the attacker did not get to its end:\n" << report;
    EXPECT_GT(verdicts, 0) << report;
    std::printf("%s", report.c_str());
  }

  /// The host after is the host before.
  HostState m_before = HostState::now();

  void expect_host_unchanged() {
    const auto changes = m_before.changes_since(HostState::now());
    EXPECT_TRUE(changes.empty()) << "the host changed: " << changes;
    EXPECT_EQ(read_file(project() / "canary.txt"), "untouched\n");
    EXPECT_EQ(inside("echo alive").out, "alive\n") << "the sandbox did not survive";
  }
};

TEST_F(Attacks, DescriptorsAgentAndProcesses) {
  const auto marker = "canary-" + std::to_string(::getpid());
  auto canary = os::spawn({.argv = {"sh", "-c", "kill -STOP $$", marker}}); // one process, no child
  expect(0, {"apply"});
  // The argument holds the marker too, so the attacker leaves itself and its parent out.
  attack("attack_descriptors", {marker});
  EXPECT_FALSE(canary.try_wait().has_value()) << "a process of the host was ended";
  expect_host_unchanged();
}

TEST_F(Attacks, WaysAroundTheFilter) {
  expect(0, {"apply"});
  attack("attack_newer");
  expect_host_unchanged();
}

TEST_F(Attacks, ServicesAndStepsInheritNothingEither) {
  append_file(
      project() / "pyro.yaml",
      "prepare:\n  - {id: attack, run: \"./attack_descriptors none > step.txt\"}\n"
      "services:\n  attack:\n    oneshot: true\n    command: \"./attack_descriptors none > service.txt\"\n");
  expect(0, {"apply"});
  judge(inside("cat step.txt").out);
  judge(inside("cat service.txt").out);
}

TEST_F(Attacks, HostileWorkingDirectories) {
  expect(0, {"apply"});
  for (const auto* hostile :
       {"/proc/self/fd/7/../../..", "/proc/self/fd/3", "/proc/1/cwd", "/proc/1/root/..", "../../../../.."}) {
    const auto result =
        pyro({"exec", "--cwd", hostile, "--", "sh", "-c", "ls -di . / | awk '{print $1}' | sort -u | wc -l"});
    if (result.status == 0) {
      EXPECT_EQ(result.out, "1\n") << hostile << " leads out of the root: " << result;
    } else {
      EXPECT_EQ(result.status, 126) << hostile << ": " << result;
      EXPECT_EQ(result.out, "") << hostile << ": " << result;
    }
  }
  expect_host_unchanged();
}

TEST_F(Attacks, KernelSettingsAndSecrets) {
  // A secret of the host's user, where the home directory is masked, and the state directory itself.
  const auto home = fs::path(environment({}).at("HOME"));
  const auto secret = home / (".pyro-test-secret-" + std::to_string(::getpid()));
  write_file(secret, "secret of the host\n");
  expect(0, {"apply"});
  attack(
      "attack_proc",
      {secret.string(), (state() / "workspaces").string(), (state() / "store").string(), root().string()});
  fs::remove(secret);
  expect_host_unchanged();
}

TEST_F(Attacks, MountsRootsAndDevices) {
  expect(0, {"apply"});
  attack("attack_mounts");
  EXPECT_TRUE(mounts_naming("/tmp/m").empty());
  expect_host_unchanged();
}

TEST_F(Attacks, SystemCallsSocketsAndCapabilities) {
  expect(0, {"apply"});
  attack("attack_kernel");
  expect_host_unchanged();
}

TEST_F(Attacks, ControlGroups) {
  expect(0, {"apply"});
  attack("attack_cgroup");
  expect_host_unchanged();
}

TEST_F(Attacks, PageCacheOfLowerLayers) {
  expect(0, {"apply"});
  attack("attack_pages", {"canary.txt"});
  expect(0, {"reset", "--to", "clean", "--yes"});
  EXPECT_EQ(inside("cat canary.txt").out, "untouched\n") << "a layer was changed";
  expect_host_unchanged();
}

TEST_F(Attacks, OverwritingEverythingInsideReachesNoLayer) {
  expect(0, {"apply"});
  inside("for f in canary.txt attack_* /usr/bin/env /etc/passwd; do echo owned > $f; done; rm -rf /etc "
         "/usr/lib/ssl /home /var");
  expect(0, {"reset", "--to", "clean", "--yes"});
  EXPECT_EQ(inside("cat canary.txt; head -c 4 /etc/passwd").out, "untouched\nroot");
  expect_host_unchanged();
}

TEST_F(Attacks, SignalsAndTheAgent) {
  expect(0, {"apply"});
  const auto result = pyro({"exec", "--", "./attack_resources", "signals"});
  judge(result.out);
  EXPECT_EQ(state_of_workspace(), "started");
  expect_host_unchanged();
}

TEST_F(Attacks, DaemonsEndWithTheirSandbox) {
  const auto marker = "daemon-" + std::to_string(::getpid());
  expect(0, {"apply"});
  attack("attack_resources", {"daemon", marker});
  ASSERT_TRUE(eventually([&] { return !processes_naming(marker).empty(); })) << "the daemon did not start";
  expect(0, {"reset", "--yes"});
  EXPECT_TRUE(eventually([&] { return processes_naming(marker).empty(); })) << "a daemon survived a reset";
  attack("attack_resources", {"daemon", marker});
  expect(0, {"destroy", "--yes", "--snapshots"});
  EXPECT_TRUE(eventually([&] { return processes_naming(marker).empty(); })) << "a daemon survived destroy";
}

TEST_F(Attacks, Descriptors) {
  expect(0, {"apply"});
  attack("attack_resources", {"descriptors"});
  expect_host_unchanged();
}

TEST_F(Attacks, ForkAndMemoryBombs) {
  replace_in_file(project() / "pyro.yaml", "memory: 256MiB", "memory: 256MiB, pids: 128");
  expect(0, {"apply"});
  // Where control groups are not ours to use there is no limit, and doctor says so.
  const auto doctor = json({"doctor"});
  std::string lacking;
  for (const auto& check : doctor.value("checks", Json::array())) {
    if (check.value("name", "") == "limits" && check.value("level", "") != "ok") {
      lacking = check.value("text", "?");
    }
  }
  if (!lacking.empty()) {
    GTEST_SKIP() << "doctor says: " << lacking;
  }
  attack("attack_resources", {"fork"});
  attack("attack_resources", {"memory"});
  expect_host_unchanged();
}

TEST_F(Attacks, TerminalWithoutOne) {
  expect(0, {"apply"});
  attack("attack_terminal");
}

TEST_F(Attacks, TerminalOfTheOneWhoRunsIt) {
  if (!fs::exists("/usr/bin/script")) {
    GTEST_SKIP() << "script(1) of bsdutils is not installed";
  }
  expect(0, {"apply"});
  for (const auto* tty : {"", "-t -i"}) {
    const auto line = (bin / "pyro").string() + " exec " + tty + " -- ./attack_terminal";
    auto result = command({"script", "-qec", line, "/dev/null"});
    std::erase(result.out, '\r');
    judge(result.out);
  }
}

TEST_F(Attacks, NetworkAndSocketsOfTheHost) {
  HostServices host(root() / "host.sock");
  expect(0, {"apply"});
  Arguments arguments{
      "none", std::to_string(host.port()), host.abstract_name(), std::to_string(host.memory_key()),
      host.path()};
  for (const auto& id : workspace_ids()) {
    arguments.push_back((state() / "workspaces" / id / "runtime/control.sock").string());
  }
  attack("attack_network", arguments);
  EXPECT_EQ(host.connections(), 0) << "something inside reached a service of the host";
  expect_host_unchanged();
}

TEST_F(Attacks, NetworkWithEgressStillKeepsOffTheHost) {
  if (!fs::exists("/usr/bin/pasta") && !fs::exists("/usr/bin/slirp4netns")) {
    GTEST_SKIP() << "neither pasta nor slirp4netns is installed";
  }
  HostServices host(root() / "host.sock");
  append_file(project() / "pyro.yaml", "network: {egress: all}\n");
  expect(0, {"apply"});
  attack(
      "attack_network", {"all", std::to_string(host.port()), host.abstract_name(),
                         std::to_string(host.memory_key()), host.path()});
  EXPECT_EQ(host.connections(), 0) << "something inside reached a service of the host";
  expect_host_unchanged();
}

TEST_F(Attacks, ExitCodesCannotBeSpoofed) {
  expect(0, {"apply"});
  // What a command prints is never taken for what pyro says.
  const auto result =
      inside("printf '{\"exit_code\": 0}\\n\\000\\377exit 0\\n'; printf 'exit_code 0' >&2; exit 77");
  EXPECT_EQ(result.status, 77);
  EXPECT_EQ(inside("head -c 5000000 /dev/zero | tr '\\0' 'x'; exit 9").status, 9);
}

} // namespace
} // namespace pyro::testing
