// Ports that services publish on this machine.
#include "../support/busybox.hpp"
#include "../support/home.hpp"

#include <pyro/base/json_access.hpp>

#include <fmt/format.h>

#include <csignal>
#include <set>
#include <tuple>

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

  void small(const std::string& services) {
    if (!fs::exists(project() / "image")) {
      make_busybox_root(project() / "image");
    }
    write_file(
        project() / "pyro.yaml",
        "version: 1\nenvironment: {image: 'dir:./image'}\nseed: {from: .}\n" + services);
  }

  int host_port() {
    const auto record =
        Json::parse(read_file(state() / "workspaces" / *workspace_ids().begin() / "workspace.json"));
    return record["ports"].empty() ? 0 : record["ports"][0].value("host_port", 0);
  }

  Result fetch(int port, const std::string& path) {
    return command({"curl", "-sS", "--max-time", "5", fmt::format("http://127.0.0.1:{}{}", port, path)});
  }
};

/// A program of this machine that listens at 127.0.0.1, until it is told to end.
class Holder {
public:
  explicit Holder(Functional& test, int port = 0) {
    write_file(
        test.project() / "hold.py",
        "import socket, sys, os, time, random\ns = socket.socket()\n"
        "s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
        // Below those that the kernel gives to connections, so that it is still free when it is wanted again.
        "for port in [int(sys.argv[1])] if sys.argv[1] != '0' else random.sample(range(20000, 32000), 100):\n"
        "  try:\n    s.bind(('127.0.0.1', port))\n    break\n  except OSError as error: print(error)\n"
        "s.listen()\nopen('held.new', 'w').write(str(s.getsockname()[1]))\nos.rename('held.new', 'held')\n"
        "time.sleep(600)\n");
    const auto held = test.project() / "held";
    fs::remove(held);
    os::Command command{{"python3", "hold.py", std::to_string(port)}};
    command.cwd = test.project().string();
    m_child = os::spawn(command);
    EXPECT_TRUE(eventually([&] { return fs::exists(held); }));
    m_port = std::stoi(read_file(held));
  }

  int port() const { return m_port; }

  int pid() const { return m_child.pid(); }

  void end() {
    m_child.signal(SIGKILL);
    std::ignore = m_child.wait();
  }

private:
  os::Child m_child;
  int m_port = 0;
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

TEST_F(Ports, AllOfOneInsidePortArePublished) {
  Holder holder(*this); // a number that is free once it lets go
  holder.end();
  const auto fixed = std::to_string(holder.port());
  small(
      "services:\n  web:\n    command: exec httpd -f -p 8080 -h /workspace\n    readiness: {tcp: 8080}\n"
      "    ports: ['8080', '"
      + fixed + ":8080', '8080']\n");
  write_file(project() / "page.txt", "from inside\n");
  const auto published = [&](const Arguments& of) {
    Arguments words{"status"};
    words.insert(words.end(), of.begin(), of.end());
    std::set<int> numbers;
    const auto status = json(words);
    for (const auto& port : status["ports"]) {
      EXPECT_EQ(fetch(port["host_port"], "/page.txt").out, "from inside\n") << port;
      numbers.insert(port["host_port"].get<int>());
    }
    EXPECT_EQ(numbers.size(), 3U);
    return numbers;
  };
  expect(0, {"apply"});
  const auto first = published({});
  EXPECT_TRUE(first.contains(holder.port()));
  EXPECT_TRUE(contains(expect(0, {"apply"}).err, "Nothing to do")) << "all are there";
  expect(0, {"reset", "--yes"});
  EXPECT_EQ(published({}), first);
  expect(0, {"stop"});
  expect(0, {"start"});
  EXPECT_EQ(published({}), first);
  expect(0, {"fork", "other"});
  const auto others = published({"-w", "other"});
  EXPECT_FALSE(others.contains(holder.port()));
  expect(0, {"reset", "--yes", "-w", "other"});
  EXPECT_EQ(published({"-w", "other"}), others);
}

TEST_F(Ports, CarryMuchDataBothWays) {
  spec(k_spec);
  expect(0, {"apply"});
  EXPECT_EQ(inside("head -c 20000000 /dev/urandom > big; sha256sum < big > sum").status, 0);
  const int port = host_port();
  const auto sum = command({"sh", "-c", fmt::format("curl -sS http://127.0.0.1:{}/big | sha256sum", port)});
  EXPECT_EQ(sum.out, inside("cat sum").out);
}

std::string with_port(const std::string& port, const std::string& more = "") {
  return "services:\n  web:\n    command: exec httpd -f -p 8080 -h /workspace\n    ports: ['" + port + "']\n"
         + more;
}

TEST_F(Ports, AFixedPortThatIsTakenIsFoundByThePlan) {
  Holder holder(*this);
  small(with_port(fmt::format("{}:8080", holder.port())));
  const auto finding = fmt::format(
      "pyro.yaml:7:5: error: services.web.ports: port {} of 127.0.0.1 is taken by process {} (python3)",
      holder.port(), holder.pid());
  const auto plan = expect(0, {"plan"});
  EXPECT_TRUE(contains(plan.out, finding)) << plan;
  const auto refused = expect(1, {"apply"});
  EXPECT_TRUE(contains(refused.err, fmt::format("taken by process {} (python3)", holder.pid()))) << refused;
  EXPECT_TRUE(workspace_ids().empty()) << "found before anything was done";

  holder.end();
  EXPECT_FALSE(contains(expect(0, {"plan"}).all(), "taken by"));
  expect(0, {"apply"});
  EXPECT_FALSE(contains(expect(0, {"plan"}).all(), "taken by")) << "its own";
  EXPECT_EQ(fetch(holder.port(), "/pyro.yaml").status, 0);
  EXPECT_TRUE(contains(expect(0, {"apply"}).all(), "othing to do"));
}

TEST_F(Ports, APortThatClashedIsPublishedByTheNextApply) {
  Holder first(*this);
  const int port = first.port();
  first.end();
  small(with_port(
      fmt::format("{}:8080", port), "    depends_on: [slow]\n  slow: {command: 'exec sleep 1000', readiness: "
                                    "{file: /tmp/go, deadline: 5m}}\n"));
  auto apply = start({"apply"});
  EXPECT_TRUE(eventually([&] { return inside("true").status == 0; }));
  Holder second(*this, port); // between the plan and the end of apply
  EXPECT_TRUE(eventually([&] { return inside("touch /tmp/go").status == 0; }));
  EXPECT_EQ(apply.wait().shell_status(), 3) << "partly applied";
  second.end();

  const auto plan = expect(0, {"plan"});
  EXPECT_TRUE(contains(plan.out, "services.web.ports")) << plan;
  expect(0, {"apply"});
  EXPECT_EQ(fetch(port, "/pyro.yaml").status, 0);
  EXPECT_TRUE(contains(expect(0, {"apply"}).all(), "othing to do"));
}

TEST_F(Ports, AWorkspaceIsNotInItsOwnWay) {
  Holder holder(*this);
  const int port = holder.port();
  holder.end();
  small(with_port(fmt::format("{}:1", port)));
  expect(0, {"apply"});
  small(with_port(fmt::format("{}:8080", port)));
  expect(0, {"apply"});
  EXPECT_TRUE(eventually([&] { return fetch(port, "/pyro.yaml").status == 0; }));
  write_file(
      project() / "pyro.yaml",
      std::string(read_file(project() / "pyro.yaml")) + "  other: {command: 'exec sleep 1000'}\n");
  replace_in_file(project() / "pyro.yaml", "    ports: ['" + std::to_string(port) + ":8080']\n", "");
  replace_in_file(
      project() / "pyro.yaml", "other: {command: 'exec sleep 1000'",
      "other: {command: 'exec sleep 1000', ports: ['" + std::to_string(port) + ":8080']");
  expect(0, {"apply"});
  EXPECT_EQ(fetch(port, "/pyro.yaml").status, 0) << "moved to another service";
}

} // namespace
} // namespace pyro::testing
