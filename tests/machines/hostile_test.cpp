// Guests that hang, shout and die hurt nobody but themselves.
#include "../support/leftovers.hpp"
#include "machines.hpp"

#include <pyro/base/json_access.hpp>

#include <fstream>
#include <signal.h>
#include <sstream>
#include <unistd.h>

namespace pyro::testing {
namespace {

class Hostile : public Machines {
protected:
  /// Resident memory of a process, in KiB.
  static long resident_kib(pid_t pid) {
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmRSS:")) {
        return std::stol(line.substr(6));
      }
    }
    return 0;
  }

  pid_t pid_of(const char* which) { return json({"status"})[which].get<pid_t>(); }
};

TEST_F(Hostile, AMachineThatHangsIsToldAndMadeAnew) {
  expect(0, {"apply", "--yes"});
  const auto machine = pid_of("sandbox_pid");
  ASSERT_EQ(::kill(machine, SIGSTOP), 0);
  const auto status = expect(0, {"status"});
  EXPECT_NE(status.all().find("hangs"), std::string::npos) << status;
  const auto ran = pyro({"exec", "--timeout", "1s", "--", "true"}, {.timeout = std::chrono::seconds(100)});
  EXPECT_EQ(ran.status, 125) << ran;
  EXPECT_NE(ran.err.find("hangs"), std::string::npos) << ran;
  expect(0, {"reset", "--yes"});
  EXPECT_EQ(inside("cat a.txt /tmp/up").out, "one\nup\n");
  EXPECT_TRUE(eventually([&] { return ::kill(machine, 0) != 0; })) << "the one that hung is gone";
}

TEST_F(Hostile, AFloodOnItsConsoleIsThrownAway) {
  expect(0, {"apply", "--yes"});
  const auto supervisor = pid_of("supervisor_pid");
  const auto before = resident_kib(supervisor);
  inside("dd if=/dev/urandom of=/dev/ttyS0 bs=4096 count=40 2>/dev/null; yes flood | head -c 300000 > "
         "/dev/ttyS0");
  EXPECT_LT(resident_kib(supervisor), before + 8192);
  EXPECT_EQ(inside("cat a.txt").out, "one\n");
}

TEST_F(Hostile, ForksAndMemoryAreTheGuestsOwn) {
  expect(0, {"apply", "--yes"});
  const auto machine = pid_of("sandbox_pid");
  inside("i=0; while [ $i -lt 200 ]; do sleep 1000 & i=$((i+1)); done; dd if=/dev/zero of=/dev/shm/fill "
         "bs=1M count=400 2>/dev/null");
  EXPECT_LT(resident_kib(machine), 1024 * 1024) << "256 MiB, and what QEMU needs itself";
  expect(0, {"reset", "--yes"});
  EXPECT_EQ(inside("cat a.txt /tmp/up").out, "one\nup\n");
}

TEST_F(Hostile, AKilledSupervisorTakesItsMachineAlong) {
  expect(0, {"apply", "--yes"});
  EXPECT_EQ(inside("echo kept > kept.txt").status, 0);
  const auto machine = pid_of("sandbox_pid");
  ::kill(pid_of("supervisor_pid"), SIGKILL);
  EXPECT_TRUE(eventually([&] { return ::kill(machine, 0) != 0; }));
  EXPECT_EQ(state_of_workspace(), "stopped");
  expect(0, {"apply", "--yes"});
  EXPECT_EQ(inside("cat kept.txt /tmp/up").out, "kept\nup\n");
}

/// As in namespaces: tests/functional/callers_environment_test.cpp.
TEST_F(Hostile, TheCallersVariablesReachNoProgramOfAMachine) {
  const auto tool = os::find_program("mkfs.erofs");
  ASSERT_TRUE(tool);
  const auto wrapper = root() / "path/mkfs.erofs";
  write_file(wrapper, "#!/bin/sh\nenv >> " + (root() / "seen").string() + "\nexec " + *tool + " \"$@\"\n");
  fs::permissions(wrapper, fs::perms(0755));
  write_file(root() / "busybox/unique", std::to_string(::getpid()) + root().string()); // an image to be made
  RunOptions options;
  options.env = {
      {"PATH", wrapper.parent_path().string() + ":" + environment({}).at("PATH")},
      {"GIT_DIR", "/of-the-caller"},
      {"LD_LIBRARY_PATH", "/of-the-caller"},
      {"MKE2FS_CONFIG", "/of-the-caller"},
      {"QEMU_AUDIO_DRV", "/of-the-caller"},
      {"SOME_TOKEN", "/of-the-caller"}};
  expect(0, {"apply", "--yes"}, options);
  const auto seen = read_file(root() / "seen");
  EXPECT_NE(seen.find("PATH="), std::string::npos) << "the images were not made by way of our program";
  EXPECT_EQ(seen.find("of-the-caller"), std::string::npos) << seen;
  for (const auto pid : processes_naming(state().string())) {
    std::ifstream in("/proc/" + std::to_string(pid) + "/environ");
    std::stringstream variables;
    if (in) {
      variables << in.rdbuf();
    }
    EXPECT_EQ(variables.str().find("of-the-caller"), std::string::npos) << describe(pid);
  }
  EXPECT_EQ(inside("env", options).out.find("of-the-caller"), std::string::npos);
}

} // namespace
} // namespace pyro::testing
