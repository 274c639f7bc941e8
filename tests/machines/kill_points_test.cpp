// Killed at every place that only virtual machines pass, in the command or in the supervisor: what is run
// next finds a valid state, does it again, and nothing is left over (Functional::TearDown).
#include "machines.hpp"

namespace pyro::testing {
namespace {

class KilledMachine : public Machines, public ::testing::WithParamInterface<const char*> {
protected:
  void SetUp() override {
    Machines::SetUp();
    ::setenv("PYRO_TEMPLATES", (root() / "templates").c_str(), 1);
    write_file(
        project() / "pyro.yaml",
        read_file(project() / "pyro.yaml") + "snapshots: {ready: {at: ready}}\nreset: {to: ready}\n");
  }

  RunOptions killed() const {
    return {.env = {{"PYRO_CRASH_AT", std::string(GetParam()) + ":1"}, {"PYRO_CRASH_LOG", m_log.string()}}};
  }

  bool was_passed() const { return read_file(m_log).find(GetParam()) != std::string::npos; }

  void expect_no_rest() const {
    for (const auto& entry : fs::recursive_directory_iterator(state() / "workspaces")) {
      const auto name = entry.path().filename().string();
      EXPECT_FALSE(name.starts_with(".making")) << entry.path();
    }
    for (const auto& entry : fs::directory_iterator(root() / "templates")) {
      EXPECT_FALSE(entry.path().filename().string().starts_with("making-")) << entry.path();
    }
  }

  fs::path m_log;
};

TEST_P(KilledMachine, TheNextCommandGetsThere) {
  m_log = root() / "passed.log";
  std::ignore = pyro({"apply", "--yes"}, killed());
  EXPECT_TRUE(was_passed());
  std::ignore = pyro({"status"}); // whatever there is to tell
  expect(0, {"apply", "--yes"});
  EXPECT_EQ(inside("cat a.txt /tmp/up").out, "one\nup\n");
  expect(0, {"reset", "--yes"});
  EXPECT_EQ(inside("cat a.txt /tmp/up").out, "one\nup\n");
  expect_no_rest();
}

INSTANTIATE_TEST_SUITE_P(
    At, KilledMachine,
    ::testing::Values(
        "image.staged", "image.published", "template.making", "template.made", "template.published",
        "qemu.started", "memory.paused", "memory.saved", "memory.kept"),
    [](const auto& info) {
      std::string name = info.param;
      std::replace(name.begin(), name.end(), '.', '_');
      return name;
    });

} // namespace
} // namespace pyro::testing
