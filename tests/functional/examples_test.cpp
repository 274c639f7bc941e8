// The examples run from end to end. Suites named Network… need Debian's packages.
#include "../support/home.hpp"

#include <pyro/base/json_access.hpp>

namespace pyro::testing {
namespace {

class Examples : public Functional {};

TEST_F(Examples, CppProjectIsBuiltAndTestedFromItsSeed) {
  for (const auto* tool : {"/usr/bin/cmake", "/usr/bin/g++", "/usr/bin/ninja"}) {
    if (!fs::exists(tool)) {
      GTEST_SKIP() << tool << " is not installed on this machine, whose root the example uses";
    }
  }
  copy_example("cpp-project", project());
  expect(0, {"apply"});
  EXPECT_EQ(expect(0, {"exec", "--", "build/to_roman", "1994"}).out, "MCMXCIV\n");
  EXPECT_FALSE(fs::exists(project() / "build")) << "the build reached the checkout";

  // A mistake in the sources fails the build with the compiler's words; the workspace stays as it was.
  replace_in_file(project() / "src/roman.cpp", "text += sign;", "text += sing;");
  const auto broken = expect(1, {"apply", "--yes"});
  EXPECT_NE(broken.all().find("sing"), std::string::npos) << broken;
  EXPECT_EQ(expect(0, {"exec", "--", "build/to_roman", "4"}).out, "IV\n");

  // A failing test fails the apply too.
  replace_in_file(project() / "src/roman.cpp", "text += sing;", "text += sign;");
  replace_in_file(project() / "tests/roman_test.cpp", "\"MCMXCIV\"", "\"MDCDXCIV\"");
  const auto failing = expect(1, {"apply", "--yes"});
  EXPECT_NE(failing.all().find("prepare.test"), std::string::npos) << failing;
}

TEST_F(Examples, CiJobPassesTheTestsStatusOnAndLeavesNothing) {
  copy_example("ci", project());
  const auto good = command({"./job.sh"});
  EXPECT_EQ(good.status, 0) << good;
  EXPECT_NE(good.all().find("test_nothing_in_nothing"), std::string::npos) << good;
  replace_in_file(project() / "words.py", "text.lower()", "text");
  const auto bad = command({"./job.sh"});
  EXPECT_EQ(bad.status, 1) << bad;
  EXPECT_NE(bad.all().find("FAILED"), std::string::npos) << bad;
}

TEST_F(Examples, AgentMendsTheProjectOverMcpAndItsPatchApplies) {
  copy_example("agent-loop", project());
  const auto sources = read_file(project() / "versions.py");
  const auto done = command({"/usr/bin/python3", "-B", "agent.py"});
  ASSERT_EQ(done.status, 0) << done;
  // The first idea does not help, so that the workspace is reset; the second does.
  const auto at = done.out.find("reset : done\n");
  ASSERT_NE(at, std::string::npos) << done;
  EXPECT_NE(done.out.find("unittest -q: exit 1\n"), std::string::npos) << done;
  EXPECT_NE(done.out.find("unittest -q: exit 0\n", at), std::string::npos) << done;
  EXPECT_EQ(read_file(project() / "versions.py"), sources) << "the agent reached the checkout";

  const auto patch = done.out.find("diff --git");
  ASSERT_NE(patch, std::string::npos) << done;
  write_file(project() / "mended.patch", done.out.substr(patch));
  EXPECT_EQ(command({"/usr/bin/git", "apply", "mended.patch"}).status, 0);
  EXPECT_EQ(command({"/usr/bin/python3", "-B", "-m", "unittest", "-q"}).status, 0);
}

TEST_F(Examples, AllAreValid) {
  for (const auto& entry : fs::directory_iterator(source_dir() / "examples")) {
    if (fs::exists(entry.path() / "pyro.yaml")) {
      const auto result = expect(0, {"validate", "-f", (entry.path() / "pyro.yaml").string()});
      EXPECT_EQ(result.all().find("warning"), std::string::npos) << result;
    }
  }
}

class NetworkExamples : public Functional {
protected:
  void SetUp() override {
    if (const auto why = why_no_network(); !why.empty()) {
      GTEST_SKIP() << why;
    }
    Functional::SetUp();
  }
};

TEST_F(NetworkExamples, RedisIsInstalledInsideAndTheHostIsAsBefore) {
  copy_example("redis", project());
  const auto packages = command({"dpkg-query", "-W"}).out;
  RunOptions patience;
  patience.timeout = std::chrono::minutes(12);
  expect(0, {"apply"}, patience);
  EXPECT_EQ(expect(0, {"exec", "--", "redis-cli", "GET", "greeting"}).out, "hello\n");
  EXPECT_EQ(expect(0, {"exec", "--", "redis-cli", "LLEN", "queue"}).out, "3\n");
  expect(0, {"exec", "--", "redis-cli", "FLUSHALL"});
  EXPECT_EQ(expect(0, {"exec", "--", "redis-cli", "DBSIZE"}).out, "0\n");
  expect(0, {"reset", "--yes"});
  EXPECT_EQ(expect(0, {"exec", "--", "redis-cli", "GET", "greeting"}).out, "hello\n");

  EXPECT_EQ(command({"dpkg-query", "-W"}).out, packages) << "the host's packages changed";
  const auto outside = command({"redis-cli", "-p", "6379", "GET", "greeting"});
  EXPECT_EQ(outside.out.find("hello"), std::string::npos) << "the sandbox's port is open on the host";

  const auto again = expect(0, {"apply"});
  EXPECT_NE(again.all().find("othing to do"), std::string::npos) << again;
  // Another workspace of the same recipe starts from the cached setup layer.
  const Arguments installed{"exec", "--", "stat", "-c", "%y", "/var/lib/dpkg/status"};
  const auto before = expect(0, installed).out;
  expect(0, {"destroy", "--yes"});
  expect(0, {"apply"});
  EXPECT_EQ(expect(0, installed).out, before) << "the setup step ran again";
}

} // namespace
} // namespace pyro::testing
