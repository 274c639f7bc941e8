// Everything that can be wrong gives one clear message with its place and the exit code of docs/cli.md, and
// leaves nothing half made.
#include "../support/home.hpp"
#include "../support/leftovers.hpp"

#include <pyro/base/json_access.hpp>

#include <sys/stat.h>

#include <unistd.h>

namespace pyro::testing {
namespace {

class BadFile : public Functional {
protected:
  void write(const std::string& text) { write_file(project() / "pyro.yaml", text); }

  /// Applies and expects the code and that the message has all of the parts; then that nothing is there.
  Result expect_failure(
      int status, const std::vector<std::string>& parts, const Arguments& arguments = {"apply", "--yes"}) {
    auto result = expect(status, arguments);
    for (const auto& part : parts) {
      EXPECT_NE(result.all().find(part), std::string::npos)
          << "the message lacks \"" << part << "\": " << result;
    }
    EXPECT_EQ(
        result.out.find("terminate called") + result.err.find("terminate called"), 2 * std::string::npos);
    return result;
  }

  void expect_nothing() {
    std::vector<std::string> left;
    EXPECT_TRUE(eventually([&] { return (left = leftovers(state().string(), {})).empty(); }))
        << "left behind: " << (left.empty() ? "" : left[0]);
  }
};

struct Mistake {
  const char* name;
  const char* text;
  const char* place;
  const char* word;
};

class Mistakes : public BadFile, public ::testing::WithParamInterface<Mistake> {};

TEST_P(Mistakes, NameTheirPlaceAndExitWith65) {
  write(GetParam().text);
  expect_failure(65, {GetParam().place, GetParam().word}, {"validate"});
  expect_failure(65, {GetParam().place, GetParam().word});
  expect_failure(65, {GetParam().place, GetParam().word}, {"plan"});
  EXPECT_TRUE(workspace_ids().empty());
  expect_nothing();
}

INSTANTIATE_TEST_SUITE_P(
    All, Mistakes,
    ::testing::Values(
        Mistake{
            "UnknownKey", "version: 1\nenvironment: {image: host}\nsevices: {}\n", "pyro.yaml:3:1",
            "services"},
        Mistake{
            "WrongType", "version: 1\nenvironment: {image: host, resources: {cpus: many}}\n",
            "pyro.yaml:2:", "cpus"},
        Mistake{
            "DuplicateKey", "version: 1\nenvironment: {image: host}\nversion: 1\n", "pyro.yaml:3:1",
            "version"},
        Mistake{"MissingVersion", "environment: {image: host}\n", "pyro.yaml", "version"},
        Mistake{"NoEnvironment", "version: 1\n", "pyro.yaml", "environment"},
        Mistake{"Tab", "version: 1\nenvironment:\n\timage: host\n", "pyro.yaml:3:1", "tab"},
        Mistake{
            "TwoProbes",
            "version: 1\nenvironment: {image: host}\nservices:\n  a:\n    command: x\n"
            "    readiness: {tcp: 1, file: /x}\n",
            "pyro.yaml:6:", "one"},
        Mistake{
            "UnknownDependency",
            "version: 1\nenvironment: {image: host}\nservices:\n  a: {command: x, depends_on: [b]}\n",
            "pyro.yaml:4:", "b"},
        Mistake{
            "UnsetVariable", "version: 1\nenvironment: {image: host}\ndescription: ${nobody}\n",
            "pyro.yaml:3:", "nobody"},
        Mistake{
            "BooleanWord",
            "version: 1\nenvironment: {image: host}\nservices: {a: {command: x, oneshot: yes}}\n",
            "pyro.yaml:3:", "true"},
        Mistake{
            "SizeUnit", "version: 1\nenvironment: {image: host, resources: {memory: 1GB}}\n",
            "pyro.yaml:2:", "GiB"},
        Mistake{
            "Cycle",
            "version: 1\nenvironment: {image: host}\nservices:\n  a: {command: x, depends_on: [b]}\n"
            "  b: {command: x, depends_on: [a]}\n",
            "pyro.yaml:", "a"}),
    [](const auto& param) { return param.param.name; });

TEST_F(BadFile, NoFile) {
  expect_failure(66, {"pyro.yaml"});
}

TEST_F(BadFile, NoRegularFileOfAtMostOneMebibyte) {
  fs::create_directory(project() / "directory.yaml");
  ASSERT_EQ(::mkfifo((project() / "pipe.yaml").c_str(), 0600), 0);
  write_file(project() / "large.yaml", "version: 1\n#" + std::string(2 << 20, 'x') + "\n");
  for (const auto& [name, word] :
       {std::pair{"directory.yaml", "directory"}, {"pipe.yaml", "FIFO"}, {"large.yaml", "1 MiB"}}) {
    for (const auto* command : {"validate", "plan", "apply"}) {
      expect_failure(65, {name, word}, {command, "-f", name});
    }
  }
  expect_nothing();
}

TEST_F(BadFile, WrongUsageIsNot2) {
  spec();
  expect_failure(64, {"--no-such-flag"}, {"apply", "--no-such-flag"});
  expect_failure(64, {"frobnicate"}, {"frobnicate"});
}

TEST_F(BadFile, MissingSeed) {
  write("version: 1\nenvironment: {image: host}\nseed: {from: nowhere}\n");
  expect_failure(66, {"nowhere", "pyro.yaml:3"});
  expect_nothing();
}

TEST_F(BadFile, MissingEnvironment) {
  write("version: 1\nenvironment: {image: \"dir:/no/such/tree\"}\n");
  expect_failure(66, {"/no/such/tree"}, {"apply", "--yes", "--trust"});
  expect_nothing();
}

TEST_F(BadFile, FailingStep) {
  spec("prepare:\n  - id: build\n    run: |\n      echo step one done\n      echo the last words >&2\n      "
       "exit 3\n");
  expect_failure(1, {"prepare.build", "the last words", "3", "pyro.yaml:"});
  expect_nothing();
  // mended, it goes through
  replace_in_file(project() / "pyro.yaml", "exit 3", "exit 0");
  expect(0, {"apply", "--yes"});
}

TEST_F(BadFile, AFailedChangeKeepsWhatRuns) {
  spec("prepare:\n  - {id: build, run: \"echo good > built.txt\"}\n");
  expect(0, {"apply"});
  replace_in_file(project() / "pyro.yaml", "echo good > built.txt", "exit 9");
  expect_failure(1, {"prepare.build", "9"});
  EXPECT_EQ(inside("cat built.txt").out, "good\n") << "a failed apply destroyed what there was";
}

TEST_F(BadFile, StepThatTakesTooLong) {
  spec("prepare:\n  - {id: slow, run: \"echo begin; sleep 10000\", timeout: 1s}\n");
  expect_failure(1, {"prepare.slow", "begin", "1s"});
  expect_nothing();
}

TEST_F(BadFile, ServiceThatIsNeverReady) {
  spec("services:\n  web:\n    command: \"echo trying hard; exec sleep 1000\"\n"
       "    readiness: {tcp: 8080, deadline: 1s}\n    hint: open the port\n");
  expect_failure(6, {"services.web", "trying hard", "tcp", "open the port", "not ready within"});
}

TEST_F(BadFile, ServiceThatExitsFailsFast) {
  spec("services:\n  web:\n    command: \"echo cannot start; exit 4\"\n    readiness: {tcp: 8080, deadline: "
       "1h}\n");
  expect_failure(6, {"services.web", "cannot start", "4", "before it was ready"});
}

TEST_F(BadFile, CommandThatIsNotThere) {
  spec("services:\n  web: {command: [/no/such/program], readiness: {tcp: 8080}}\n");
  expect_failure(6, {"services.web", "/no/such/program"});
}

TEST_F(BadFile, TerminalSequencesInOutputStayHarmless) {
  spec("prepare:\n  - {id: evil, run: \"printf '\\\\033]0;owned\\\\007\\\\033[2Jtext\\\\n'; exit 1\"}\n");
  const auto result = expect_failure(1, {"text"});
  EXPECT_EQ(result.all().find('\033'), std::string::npos)
      << "an escape sequence of the guest reached the terminal";
  EXPECT_EQ(result.all().find('\007'), std::string::npos);
}

TEST_F(BadFile, AnOddLineOfAnEnvFileIsNamedBeforeAnythingStarts) {
  spec("services:\n  web: {command: \"true\", oneshot: true, env_file: [vars.env]}\n");
  using namespace std::string_literals;
  for (const auto& line : {"1A=x"s, "A B=x"s, "NAME"s, "A=\xE9"s, "A=x\0y"s, "A='x"s, "A=$NOBODY"s}) {
    write_file(project() / "vars.env", "FINE=1\n\n" + line + "\n");
    expect_failure(65, {"vars.env:3:1"}, {"plan"});
    expect_failure(65, {"vars.env:3:1"});
  }
  EXPECT_TRUE(workspace_ids().empty());
  expect_nothing();
}

TEST_F(BadFile, AnEmptyFileNamesItself) {
  write("");
  for (const auto* verb : {"validate", "plan", "apply"}) {
    expect_failure(65, {"pyro.yaml:1:1", "the file is empty"}, {verb});
  }
}

TEST_F(BadFile, ADeadlineBeyondTheClock) {
  spec("services:\n  web: {command: \"true\", readiness: {tcp: 8080, deadline: 99999999999d}}\n");
  expect_failure(65, {"pyro.yaml:6:", "deadline", "beyond the range of the clock"}, {"validate"});
}

TEST_F(BadFile, ASeedFileThatCannotBeReadIsNamedWhole) {
  if (::geteuid() == 0) {
    GTEST_SKIP() << "root reads every file";
  }
  spec();
  const auto path = project() / "deep" / "er" / "closed.txt";
  write_file(path, "closed\n");
  fs::permissions(path, fs::perms::none);
  for (const auto* verb : {"plan", "apply"}) {
    expect_failure(77, {path.string(), "Permission denied", "seed.exclude"}, {verb});
  }
  expect_nothing();
}

TEST_F(BadFile, FullDisk) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can mount a small file system for this";
  }
  // The test's own mount namespace, so that the small file system goes with the command.
  spec("prepare:\n  - {id: big, run: \"head -c 30000000 /dev/urandom > big.bin\"}\n");
  const auto small = root() / "small";
  fs::create_directories(small);
  RunOptions options;
  options.env["PYRO_HOME"] = (small / "home").string();
  const auto script = "mount -t tmpfs -o size=12m tmpfs " + small.string() + "\n" + (bin / "pyro").string()
                      + " apply --yes; echo status $?\n" + (bin / "pyro").string() + " status; "
                      + (bin / "pyro").string() + " destroy --yes --snapshots; echo destroyed $?\n"
                      + "sleep 1; ls -A " + small.string() + "/home/workspaces " + small.string()
                      + "/home/store/staging 2>/dev/null\n";
  const auto result =
      command({"unshare", "--mount", "--propagation", "private", "sh", "-c", script}, options);
  EXPECT_NE(result.out.find("status 1\n"), std::string::npos) << result;
  EXPECT_NE(result.all().find("No space left"), std::string::npos) << result;
  EXPECT_TRUE(eventually([&] { return processes_naming(small.string()).empty(); }));
}

} // namespace
} // namespace pyro::testing
