// Ends that are no failures of ours: who reads has gone, the workspace is made anew, there is nothing to
// show.
#include "../support/busybox.hpp"
#include "../support/home.hpp"

#include <pyro/base/json_access.hpp>

#include <fmt/format.h>

#include <csignal>

namespace pyro::testing {
namespace {

class Ends : public Functional {
protected:
  /// What it prints, then its exit status, where only the first line is read.
  std::string first_line_of(const std::string& arguments) {
    const auto script =
        fmt::format("{{ '{}' {}; echo status $? >&2; }} | head -n1", (bin / "pyro").string(), arguments);
    const auto result = command({"sh", "-c", script});
    EXPECT_EQ(result.err, "status 141\n") << arguments;
    return result.out;
  }

  /// What a command says on standard error that runs while `pyro <arguments>` comes in between.
  std::string told_after(const std::string& arguments) {
    const auto result = command(
        {"sh", "-c",
         fmt::format(
             R"('{0}' exec -- sh -c 'echo begun; exec sleep 1000' > begun.out 2> told.err & child=$!
                while ! grep -q begun begun.out; do sleep 0.05; done
                '{0}' {1} > other.out 2>&1 || cat other.out
                wait $child; echo status $?; cat told.err; rm begun.out told.err other.out)",
             (bin / "pyro").string(), arguments)});
    EXPECT_TRUE(result.out.starts_with("status 125\n")) << result;
    return result.out;
  }
};

TEST_F(Ends, WhoReadsTheOutputHasGone) {
  spec(R"(
services: {web: {command: "while :; do echo line; sleep 0.01; done"}}
)");
  expect(0, {"apply"});
  EXPECT_EQ(first_line_of("exec -- seq 1000000"), "1\n");
  EXPECT_EQ(first_line_of("run -- seq 1000000"), "1\n");
  EXPECT_EQ(first_line_of("logs -f web"), "line\n");
  const auto id = get_string(json({"status", "--json"}), "workspace_id");
  EXPECT_EQ(first_line_of("workspace exec " + id + " -- seq 1000000"), "1\n");
  EXPECT_EQ(inside("pgrep -x seq; true").out, "") << "nobody is left who writes for nobody";
}

TEST_F(Ends, AWorkspaceIsResetBelowACommand) {
  spec();
  expect(0, {"apply"});
  const auto reset = told_after("reset --yes");
  EXPECT_NE(reset.find("the workspace was reset\n"), std::string::npos) << reset;
  EXPECT_EQ(reset.find("/agent"), std::string::npos) << reset;
}

/// Whatever the command makes of it: who waited for its result did not want it any more.
TEST_F(Ends, AnInterruptedCommandHasNoResult) {
  make_busybox_root(project() / "image");
  write_file(project() / "pyro.yaml", "version: 1\nname: test\nenvironment: {image: 'dir:./image'}\n");
  expect(0, {"apply"});
  auto child = start(
      {"exec", "--json", "--", "sh", "-c",
       "trap 'exit 0' INT; touch /tmp/begun; while :; do sleep 0.1; done"});
  EXPECT_TRUE(eventually([&] { return inside("test -e /tmp/begun").status == 0; }));
  child.signal(SIGINT);
  EXPECT_EQ(child.wait().shell_status(), 130);
  EXPECT_TRUE(eventually([&] { return inside("pgrep -f begu[n]").out.empty(); }));
}

TEST_F(Ends, LogsOfAWorkspaceWithoutServices) {
  spec();
  expect(0, {"apply"});
  const auto running = expect(0, {"logs"});
  EXPECT_EQ(running.out, "");
  EXPECT_NE(running.err.find("this workspace has no services"), std::string::npos) << running;
  expect(0, {"logs", "--follow"});
  EXPECT_NE(pyro({"logs", "web"}).err.find("there is no service 'web'"), std::string::npos);
  expect(0, {"stop"});
  EXPECT_NE(expect(0, {"logs"}).err.find("this workspace has no services"), std::string::npos);
}

} // namespace
} // namespace pyro::testing
