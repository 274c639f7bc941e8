// Whose word counts when a service is taken to be ready.
#include "../support/busybox.hpp"
#include "../support/home.hpp"

#include <pyro/base/json_access.hpp>

namespace pyro::testing {
namespace {

class Readiness : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    make_busybox_root(project() / "image");
    m_options.env = {{"PYRO_ENVIRONMENT_CACHE_DIR", (root() / "cache").string()}};
  }

  void services(const std::string& lines) {
    write_file(
        project() / "pyro.yaml",
        "version: 1\nname: test\nenvironment: {image: 'dir:./image'}\nseed: {from: .}\n" + lines);
  }

  /// Root, and nobody where sandboxes have other users.
  std::vector<std::string> users() {
    services("");
    apply(0);
    return has_users(m_options) ? std::vector<std::string>{"root", "nobody"}
                                : std::vector<std::string>{"root"};
  }

  Result apply(int status) { return expect(status, {"apply", "--yes"}, m_options); }

  RunOptions m_options;
};

constexpr const char* k_greeter = "exec nc -ll -p 4711 -e echo hello";

TEST_F(Readiness, TheListenerOfAnotherServiceDoesNotCount) {
  const auto all = users();
  for (const auto* probe : {"tcp: 4711", "http: {port: 4711}"}) {
    for (const auto& first : all) {
      for (const auto& second : all) {
        SCOPED_TRACE(first + ", " + second + ", " + probe);
        services(
            std::string("services:\n  first: {command: '") + k_greeter + "', user: " + first
            + ", readiness: {tcp: 4711}}\n  second: {command: 'sleep 0.5; " + k_greeter + "', user: " + second
            + ", depends_on: [first], readiness: {" + probe + "}}\n");
        const auto result = apply(6);
        EXPECT_TRUE(contains(result.err, "service second")) << result;
        EXPECT_TRUE(contains(result.err, "the service first listens there, not second")) << result;
        EXPECT_TRUE(contains(result.err, "ddress already in use")) << result;
        expect(0, {"destroy", "--yes"}, m_options);
      }
    }
  }
}

TEST_F(Readiness, AListenerOfItsDescendantsCounts) {
  const auto all = users();
  for (const auto* command :
       {"nc -ll -p 4711 -e echo hello & exec sleep 1000",
        "setsid nc -ll -p 4711 -e echo hello & exec sleep 1000",
        "env -i setsid nc -ll -p 4711 -e echo hello & exec sleep 1000",
        "(env -i setsid nc -ll -p 4711 -e echo hello &) & exec sleep 1000"}) {
    for (const auto& user : all) {
      SCOPED_TRACE(user + ": " + command);
      services(
          std::string("services:\n  other: {command: 'exec sleep 1000'}\n  it: {command: '") + command
          + "', user: " + user + ", readiness: {tcp: 'localhost:4711', deadline: 20s}}\n");
      apply(0);
      expect(0, {"destroy", "--yes"}, m_options);
    }
  }
}

TEST_F(Readiness, AServerThatSomebodyStartedBeforeDoesNotCount) {
  services("");
  apply(0);
  EXPECT_EQ(inside("nc -ll -p 4711 -e echo hello > /dev/null 2>&1 &", m_options).status, 0);
  EXPECT_TRUE(eventually([&] { return inside("nc 127.0.0.1 4711 < /dev/null", m_options).status == 0; }));
  services("services: {it: {command: 'exec sleep 1000', readiness: {tcp: 4711, deadline: 1s}}}\n");
  const auto result = apply(6);
  EXPECT_TRUE(contains(result.err, "(nc), which is older than the service, listens there, not it")) << result;
}

TEST_F(Readiness, WhoTakesLeaveOfItsUsersSessionIsStoppedWithTheService) {
  if (users().size() == 1) {
    GTEST_SKIP() << "the sandbox has root alone";
  }
  services("services: {it: {command: 'setsid sleep 1234 & exec sleep 1000', user: nobody}}\n");
  apply(0);
  services("services: {it: {command: 'exec sleep 1001', user: nobody}}\n");
  apply(0);
  EXPECT_EQ(inside("ps | grep -c '[s]leep 1234'", m_options).out, "0\n");
}

} // namespace
} // namespace pyro::testing
