// `pyro port-forward`: ports inside on 127.0.0.1 of this machine, published or not, for as long as it runs.
#include "../support/terminal.hpp"
#include "flags.hpp"

#include <fmt/format.h>

#include <csignal>

namespace pyro::testing {
namespace {

class PortForward : public Flags {
protected:
  void SetUp() override {
    Flags::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    write_file(project() / "page.txt", "from inside\n");
    spec("services:\n"
         "  web:\n"
         "    command: [/usr/bin/python3, -m, http.server, '8080']\n"
         "    readiness: {http: {port: 8080, path: /}}\n"
         "  quiet: {command: sleep 1000}\n");
    expect(0, {"apply"});
  }

  Result fetch(int port) {
    return command({"curl", "-sS", "--max-time", "20", fmt::format("http://127.0.0.1:{}/page.txt", port)});
  }

  /// The ports of this machine that it says, once it does.
  static std::vector<int> ports_of(OnATerminal& forward, std::size_t count) {
    std::vector<int> ports;
    constexpr std::string_view k_mark = "\"host_port\":";
    EXPECT_TRUE(forward.see("}]}")) << forward.seen();
    const auto& seen = forward.seen();
    for (auto at = seen.find(k_mark); at != std::string::npos; at = seen.find(k_mark, at + 1)) {
      ports.push_back(std::stoi(seen.substr(at + k_mark.size())));
    }
    EXPECT_EQ(ports.size(), count) << seen;
    ports.resize(count);
    return ports;
  }

  static void end(OnATerminal& forward) {
    forward.type("\x03");
    EXPECT_EQ(forward.status(), 0) << forward.seen();
  }
};

TEST_F(PortForward, AServiceOrAPortUntilCtrlC) {
  auto forward = at_a_terminal({"port-forward", "web", "0:8080", "--json"});
  const auto ports = ports_of(*forward, 2);
  EXPECT_NE(ports[0], ports[1]);
  for (const auto port : ports) {
    EXPECT_EQ(fetch(port).out, "from inside\n");
  }
  end(*forward);
  for (const auto port : ports) {
    EXPECT_NE(fetch(port).status, 0) << "nobody listens any more";
  }
}

TEST_F(PortForward, ThePortHereCanBeChosenAndIsNotTakenFromAnybody) {
  auto free_one = at_a_terminal({"port-forward", "8080", "--json"});
  const auto port = ports_of(*free_one, 1)[0];
  const auto taken = pyro({"port-forward", fmt::format("{}:web", port)});
  EXPECT_EQ(taken.status, 1) << taken;
  EXPECT_TRUE(contains(taken.err, std::to_string(port))) << taken;
  end(*free_one);
  auto chosen = at_a_terminal({"port-forward", fmt::format("{}:web", port)});
  EXPECT_TRUE(chosen->see(fmt::format("127.0.0.1:{} -> web, port 8080 inside", port))) << chosen->seen();
  EXPECT_EQ(fetch(port).out, "from inside\n");
  end(*chosen);
}

TEST_F(PortForward, AConnectionThatIsRefusedInsideIsTold) {
  auto forward = at_a_terminal({"port-forward", "9", "--json"});
  const auto port = ports_of(*forward, 1)[0];
  EXPECT_NE(fetch(port).status, 0);
  EXPECT_TRUE(forward->see("{\"refused\":{\"port\":9,")) << forward->seen();
  EXPECT_TRUE(forward->see("refused")) << forward->seen();
  end(*forward);
  auto told = at_a_terminal({"port-forward", fmt::format("{}:9", port)});
  EXPECT_TRUE(told->see("port 9 inside")) << told->seen();
  EXPECT_NE(fetch(port).status, 0);
  EXPECT_TRUE(told->see("refused: a connection to port 9 inside: ")) << told->seen();
  end(*told);
}

TEST_F(PortForward, ItsConnectionsEndWithIt) {
  write_file(
      root() / "echo.py",
      "import socket, sys\ns = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n"
      "s.sendall(b'x')\nopen(sys.argv[2], 'w')\nprint(s.recv(10))\n");
  auto forward = at_a_terminal({"port-forward", "8080", "--json"});
  const auto port = ports_of(*forward, 1)[0];
  os::Command client{
      {"python3", (root() / "echo.py").string(), std::to_string(port), (root() / "connected").string()}};
  auto connected = os::spawn(client);
  ASSERT_TRUE(eventually([&] { return fs::exists(root() / "connected"); }));
  forward->signal(SIGKILL); // it cannot say that it goes
  EXPECT_EQ(forward->status(), 137);
  std::ignore = connected.wait(); // its connection is closed, or this test would not end
  EXPECT_TRUE(eventually([&] { return fetch(port).status != 0; }));
}

TEST_F(PortForward, TheEndOfTheSandboxEndsIt) {
  auto forward = at_a_terminal({"port-forward", "web"});
  ASSERT_TRUE(forward->see("port 8080 inside")) << forward->seen();
  expect(0, {"reset", "--yes"});
  EXPECT_EQ(forward->status(), 1);
  EXPECT_TRUE(contains(forward->seen(), "the workspace was reset")) << forward->seen();
}

TEST_F(PortForward, WhatCannotBeIsRefused) {
  EXPECT_EQ(pyro({"port-forward"}).status, 64);
  const auto quiet = pyro({"port-forward", "quiet"});
  EXPECT_NE(quiet.status, 0);
  EXPECT_TRUE(contains(quiet.err, "nothing says at which port quiet listens")) << quiet;
  const auto nobody = pyro({"port-forward", "nobody"});
  EXPECT_NE(nobody.status, 0);
  EXPECT_TRUE(contains(nobody.err, "has no service nobody")) << nobody;
  EXPECT_EQ(pyro({"port-forward", "web:80"}).status, 64);
  expect(0, {"stop"});
  EXPECT_TRUE(contains(pyro({"port-forward", "web"}).err, "must be in 'started' state"));
}

TEST_F(PortForward, ServicesStartedByHandToo) {
  const auto id = json({"status"}).at("workspace_id").get<std::string>();
  expect(
      0, {"workspace", "service", "start", id, "hand", "--publish", "8081", "--ready-tcp", "127.0.0.1:8081",
          "--", "python3 -m http.server 8081"});
  auto forward = at_a_terminal({"port-forward", "hand", "--json"});
  EXPECT_EQ(fetch(ports_of(*forward, 1)[0]).out, "from inside\n");
  end(*forward);
}

} // namespace
} // namespace pyro::testing
