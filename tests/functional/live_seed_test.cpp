// A checkout in which something is written all the time: logs, status files, pyro's own output. None of it
// stops an apply, and what is inside is what the digest says.
#include "../support/home.hpp"

#include <csignal>

namespace pyro::testing {
namespace {

class LiveSeed : public Functional {
protected:
  /// Runs a script in the project until the test's end.
  void keep_running(const std::string& script) {
    os::Command shell;
    shell.argv = {"/bin/sh", "-c", script};
    shell.cwd = project().string();
    m_writers.push_back(os::spawn(std::move(shell)));
  }

  void end_writers() {
    for (auto& writer : m_writers) {
      writer.signal(SIGKILL);
      writer.wait();
    }
    m_writers.clear();
  }

  void TearDown() override {
    end_writers();
    Functional::TearDown();
  }

  /// With its output in files of the checkout, as a shell does it.
  int pyro_into(const std::string& words, const std::string& redirection) {
    return command({"/bin/sh", "-c", (bin / "pyro").string() + " " + words + " " + redirection}).status;
  }

  std::vector<os::Child> m_writers;
};

TEST_F(LiveSeed, PyrosOwnOutputIsLeftOut) {
  spec();
  write_file(project() / "kept.txt", "kept\n");
  EXPECT_EQ(pyro_into("apply", "> apply.log 2>&1"), 0) << read_file(project() / "apply.log");
  const auto log = read_file(project() / "apply.log");
  EXPECT_NE(log.find("apply.log: pyro itself writes to it: left out"), std::string::npos) << log;
  EXPECT_EQ(inside("ls").out, "kept.txt\n");
  EXPECT_EQ(pyro_into("apply --json", "> apply.log 2> apply.err"), 0) << read_file(project() / "apply.err");
  EXPECT_EQ(inside("ls").out, "kept.txt\n");
  // Later it is a file like any other, unless it is ignored.
  EXPECT_NE(expect(0, {"plan"}).out.find("seed"), std::string::npos);
  write_file(project() / ".pyroignore", "apply.*\n");
  expect(0, {"apply", "--yes"});
  EXPECT_EQ(inside("ls").out, "kept.txt\n");
}

TEST_F(LiveSeed, TheFileItselfIsLeftOutWhateverItsName) {
  for (const auto* name : {"a[1].yaml", "b*.yaml", "what?.yaml", "back\\slash.yaml", "blank .yaml "}) {
    write_file(project() / name, "version: 1\nname: test\nenvironment: {image: host}\nseed: {from: .}\n");
    write_file(project() / "a1.yaml", "another\n");
    write_file(project() / "bc.yaml", "another\n");
    expect(0, {"apply", "--yes", "-f", name});
    EXPECT_EQ(expect(0, {"exec", "-f", name, "--", "ls"}).out, "a1.yaml\nbc.yaml\n") << name;
    expect(0, {"destroy", "--yes", "--snapshots", "-f", name});
    fs::remove(project() / name);
  }
}

TEST_F(LiveSeed, ALogThatGrowsIsTakenAsItWasAtOneMoment) {
  spec();
  write_file(project() / "grow.log", std::string(2 << 20, '-') + "\n");
  keep_running("while :; do echo a line that is added >> grow.log; done");
  for (int round = 0; round < 3; ++round) {
    expect(0, {"apply", "--yes"});
    expect(0, {"plan"}); // it ends, whatever it says: the log has grown
  }
  end_writers();
  const auto outside = read_file(project() / "grow.log");
  const auto copied = inside("cat grow.log").out;
  EXPECT_GT(copied.size(), 2U << 20);
  EXPECT_EQ(outside.substr(0, copied.size()), copied);
}

TEST_F(LiveSeed, FilesThatAreRewrittenReplacedAndRemoved) {
  spec("prepare: [{id: wait, run: 'true'}]\n");
  write_file(project() / "kept.txt", "kept\n");
  keep_running("i=0; while :; do i=$((i+1)); echo status $i > status.txt; done");
  keep_running("i=0; while :; do i=$((i+1)); echo $i > .new; mv .new replaced.txt; done");
  keep_running(
      "while :; do mkdir -p d; echo x > d/f; rm -rf d; done"); // new names without end are beyond the bound
  for (int round = 0; round < 3; ++round) {
    const auto result = expect(0, {"apply", "--yes"});
    EXPECT_EQ(inside("cat kept.txt").out, "kept\n") << result;
  }
  end_writers();
  expect(0, {"apply", "--yes"});
  EXPECT_EQ(inside("cat replaced.txt").out, read_file(project() / "replaced.txt"));
  EXPECT_NE(expect(0, {"apply", "--yes"}).all().find("othing to do"), std::string::npos);
}

TEST_F(LiveSeed, PushingALogThatGrows) {
  write_file(project() / "pushed" / "grow.log", std::string(4 << 20, '-') + "\n");
  auto id = expect(0, {"workspace", "create", "host", "--seed-path", "pushed", "--id-only"}).out;
  id.erase(id.find_last_not_of('\n') + 1);
  keep_running("while :; do echo a line that is added >> pushed/grow.log; done");
  for (int round = 0; round < 5; ++round) {
    expect(0, {"workspace", "sync", "push", id, "pushed"});
  }
  expect(0, {"workspace", "delete", id});
}

/// What a setup step was given is what its key says, too.
TEST_F(LiveSeed, InputsOfASetupStepThatChange) {
  write_file(project() / "live.txt", "start\n");
  write_file(project() / "pyro.yaml", R"(version: 1
name: test
environment:
  image: host
  setup:
    - {id: slow, run: "sleep 1", egress: none}
    - {id: read, inputs: [live.txt], run: cp live.txt /etc/live.txt, egress: none}
seed: {from: .}
)");
  keep_running("i=0; while :; do i=$((i+1)); echo $i > live.txt; sleep 0.05; done");
  const auto result = expect(0, {"apply"});
  EXPECT_NE(result.all().find("live.txt"), std::string::npos) << "no note: " << result;
  EXPECT_EQ(inside("cmp /etc/live.txt live.txt && echo same").out, "same\n");
}

} // namespace
} // namespace pyro::testing
