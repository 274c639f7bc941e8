#include "../../support/files.hpp"

#include <pyro/agent/freezer.hpp>
#include <pyro/agent/lineage.hpp>

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <string>
#include <unistd.h>

namespace pyro::agent {
namespace {

std::string states_of_subjects() {
  std::string states;
  for (const auto& process : list_subjects(false)) {
    states += process.state;
  }
  return states;
}

/// As shells start programs: between vfork and exec the parent sleeps uninterruptibly. Here that takes a
/// while.
[[noreturn]] void start_a_program_by_vfork() {
  ::setpgid(0, 0);
  if (::vfork() == 0) {
    const timespec moment{0, 300'000'000};
    ::nanosleep(&moment, nullptr);
    ::execl("/bin/sleep", "sleep", "1000", nullptr);
    ::_exit(1);
  }
  for (;;) {
    ::pause();
  }
}

/// A process group that ends with the test.
struct Group {
  pid_t leader;

  explicit Group(pid_t process) : leader(process) {}

  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  ~Group() {
    ::kill(-leader, SIGKILL);
    ::waitpid(leader, nullptr, 0);
  }
};

TEST(Freezer, LetsWhoIsBetweenVforkAndExecGoOnUntilTheExec) {
  const pid_t parent = ::fork();
  if (parent == 0) {
    start_a_program_by_vfork();
  }
  const Group group(parent);
  ASSERT_TRUE(pyro::testing::eventually([] { return states_of_subjects().find('D') != std::string::npos; }));
  Freezer freezer(false);
  EXPECT_EQ(freezer.freeze(), 2U);
  EXPECT_EQ(states_of_subjects(), "TT");
  EXPECT_EQ(freezer.thaw(), 2U);
  EXPECT_TRUE(pyro::testing::eventually([] { return states_of_subjects() == "SS"; }));
}

} // namespace
} // namespace pyro::agent
