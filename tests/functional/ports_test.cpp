// Ports that services publish on this machine.
#include "../support/home.hpp"

#include <pyro/base/json_access.hpp>

#include <fmt/format.h>

namespace pyro::testing {
namespace {

class Ports : public Functional {
protected:
  static constexpr const char* k_spec = R"(
services:
  web:
    command: [/usr/bin/python3, -m, http.server, "8080"]
    readiness: {http: {port: 8080, path: /}}
    ports: ["8080"]
)";

  int host_port() {
    const auto record =
        Json::parse(read_file(state() / "workspaces" / *workspace_ids().begin() / "workspace.json"));
    return record["ports"].empty() ? 0 : record["ports"][0].value("host_port", 0);
  }

  Result fetch(int port, const std::string& path) {
    return command({"curl", "-sS", "--max-time", "5", fmt::format("http://127.0.0.1:{}{}", port, path)});
  }
};

TEST_F(Ports, AreReachableFromThisMachineAndStayTheSame) {
  write_file(project() / "page.txt", "from inside\n");
  spec(k_spec);
  expect(0, {"apply"});
  const int port = host_port();
  ASSERT_GT(port, 0);
  EXPECT_EQ(fetch(port, "/page.txt").out, "from inside\n");

  expect(0, {"reset", "--yes"});
  EXPECT_EQ(host_port(), port);
  EXPECT_EQ(fetch(port, "/page.txt").out, "from inside\n");

  expect(0, {"stop"});
  EXPECT_NE(fetch(port, "/page.txt").status, 0) << "the forwarder must end with the workspace";
}

TEST_F(Ports, CarryMuchDataBothWays) {
  spec(k_spec);
  expect(0, {"apply"});
  EXPECT_EQ(inside("head -c 20000000 /dev/urandom > big; sha256sum < big > sum").status, 0);
  const int port = host_port();
  const auto sum = command({"sh", "-c", fmt::format("curl -sS http://127.0.0.1:{}/big | sha256sum", port)});
  EXPECT_EQ(sum.out, inside("cat sum").out);
}

TEST_F(Ports, AFixedPortThatIsTakenIsNamed) {
  auto listener = command(
      {"python3", "-c", "import socket;s=socket.socket();s.bind(('127.0.0.1',0));print(s.getsockname()[1])"});
  const int port = std::stoi(listener.out);
  write_file(
      project() / "hold.py",
      fmt::format(
          "import socket,time\ns=socket.socket()\ns.bind(('127.0.0.1',{}))\ns.listen()\n"
          "open('held','w').close()\ntime.sleep(60)\n",
          port));
  os::Command holder{{"python3", "hold.py"}};
  holder.cwd = project().string();
  const auto child = os::spawn(holder);
  ASSERT_TRUE(eventually([&] { return fs::exists(project() / "held"); }));
  spec(fmt::format(
      R"(
services:
  web:
    command: sleep 1000
    ports: ["{}:8080"]
)",
      port));
  const auto result = pyro({"apply"});
  EXPECT_NE(result.status, 0);
  EXPECT_NE(result.err.find(std::to_string(port)), std::string::npos) << result;
}

} // namespace
} // namespace pyro::testing
