// Which service is named when several do not become ready, and with which exit code.
#include "../support/busybox.hpp"
#include "../support/home.hpp"

#include <sstream>

namespace pyro::testing {
namespace {

class Culprit : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    make_busybox_root(project() / "image");
    m_options.env = {{"PYRO_ENVIRONMENT_CACHE_DIR", (root() / "cache").string()}};
  }

  Result apply(const std::string& services, int status = 6, const Arguments& more = {}) {
    write_file(
        project() / "pyro.yaml",
        "version: 1\nname: test\nenvironment: {image: 'dir:./image'}\nseed: {from: .}\nservices:\n"
            + services);
    Arguments arguments{"apply", "--yes"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return expect(status, arguments, m_options);
  }

  /// The lines from "pyro: error:" on.
  static std::vector<std::string> report(const Result& result) {
    std::vector<std::string> lines;
    std::istringstream text(result.err.substr(std::min(result.err.find("pyro: error:"), result.err.size())));
    for (std::string line; std::getline(text, line);) {
      lines.push_back(line);
    }
    return lines;
  }

  RunOptions m_options;
};

TEST_F(Culprit, ABystanderIsNotBlamedForAFailedOneshot) {
  const auto result =
      apply("  a: {command: 'exec sleep 1000', readiness: {tcp: 4711}}\n"
            "  mig: {command: 'echo no such table; exit 3', oneshot: true}\n"
            "  web: {command: 'exec sleep 1000', depends_on: {mig: {condition: completed}}}\n");
  const auto lines = report(result);
  ASSERT_EQ(lines.size(), 4U) << result;
  EXPECT_EQ(lines[0], "pyro: error: pyro.yaml:7:3: service mig failed: exit code 3");
  EXPECT_EQ(lines[1], "    no such table");
  EXPECT_EQ(lines[2], "  service web was not started: it depends on mig, which is failed");
  EXPECT_TRUE(contains(result.err, "services.mig: failed: service mig failed: exit code 3")) << result;
  EXPECT_FALSE(contains(result.err, "services.a: failed")) << result;
}

TEST_F(Culprit, TheDependencyIsNamedBeforeItsDependents) {
  const auto lines = report(
      apply("  above: {command: 'exec sleep 1000', depends_on: [late]}\n"
            "  late: {command: 'echo warming up; exec sleep 1000', readiness: {tcp: 4711, deadline: 1s}}\n"));
  ASSERT_GE(lines.size(), 4U);
  EXPECT_EQ(
      lines[0], "pyro: error: pyro.yaml:7:3: service late did not become ready: not ready within 1000 ms");
  EXPECT_EQ(lines[1], "    warming up");
  EXPECT_EQ(lines[2], "  last probe: tcp 127.0.0.1:4711: Connection refused");
  EXPECT_EQ(lines[3], "  service above was not started: it depends on late, which is failed");
}

TEST_F(Culprit, WhoFailedByItselfComesBeforeWhoWasLate) {
  // `z` fails in the moment in which `a` is found out to be late: both are known when the wait ends.
  const auto result = apply("  a: {command: 'exec sleep 1000', readiness: {tcp: 4711, deadline: 1s}}\n"
                            "  b: {command: 'exec sleep 1000', depends_on: [z]}\n"
                            "  z: {command: 'echo out of order >&2; exit 4', restart: on-failure, "
                            "max_restarts: 0, readiness: {tcp: 4712}}\n");
  const auto lines = report(result);
  ASSERT_GE(lines.size(), 2U) << result;
  EXPECT_TRUE(contains(lines[0], "service z failed: exit code 4")) << result;
  EXPECT_EQ(lines[1], "    out of order");
}

TEST_F(Culprit, EndedBeforeItWasReadyIsExitCodeSix) {
  apply("  a: {command: 'exit 0'}\n");
  apply("  a: {command: 'exit 1', restart: on-failure, max_restarts: 1}\n");
  apply("  a: {command: 'kill -9 $$$$', readiness: {tcp: 4711}}\n");
  apply("  a: {command: /no/such/program}\n");
  apply("  a: {command: 'exit 1', oneshot: true}\n");
  apply("  a: {command: 'exec sleep 100', oneshot: true, timeout: 200ms}\n");
  const auto result = apply("  a: {command: 'exit 1'}\n", 6, {"--json"});
  EXPECT_TRUE(contains(result.err, "\"code\": \"not_ready\"")) << result;
}

TEST_F(Culprit, AServiceThatGoesToTheBackgroundIsToldToStay) {
  const auto result = apply("  daemon: {command: 'setsid sleep 1000 & exit 0', readiness: {tcp: 4711}}\n");
  EXPECT_TRUE(contains(result.err, "service daemon failed: it went to the background before it was ready"))
      << result;
  EXPECT_TRUE(contains(result.err, "hint: run it in the foreground")) << result;
  apply("  daemon: {command: 'setsid sleep 1000 & exit 0', oneshot: true}\n", 0);
}

} // namespace
} // namespace pyro::testing
