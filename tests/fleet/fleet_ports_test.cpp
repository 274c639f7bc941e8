// Ports of workspaces on nodes, where they are used; and the quickstart on a node whose link is cut.
#include "fleet.hpp"

#include <csignal>

namespace pyro::testing {
namespace {

/// What the quickstart is on this machine it is on a node, and after that node's link was cut on another one.
TEST_F(Fleet, TheQuickstartOutlivesItsNode) {
  const auto file = (source_dir() / "examples/quickstart/pyro.yaml").string();
  expect(0, {"apply", "--yes", "--on", "slurm:pyro", "-f", file}, on_cluster());
  EXPECT_EQ(
      expect(0, {"exec", "-f", file, "--", "curl", "-s", "http://127.0.0.1:8080/price/fig"}, on_cluster())
          .out,
      "{\"fig\": 2.18}\n");
  const auto before = told(file);
  ASSERT_EQ(before["ports"].size(), 1U) << before;
  const auto url = before["ports"][0]["url"].get<std::string>();
  EXPECT_EQ(fetch(url + "price/fig").out, "{\"fig\": 2.18}\n");
  const auto node = before["place"]["node"].get<std::string>();
  const auto left = lease_directories();
  ASSERT_EQ(left.size(), 1U);

  cut(node);
  const auto lost = wait_until_lost(file);
  EXPECT_TRUE(contains(lost["last_error"].get<std::string>(), "node " + node)) << lost["last_error"];
  EXPECT_TRUE(contains(lost["last_error"].get<std::string>(), "its node failed")) << lost["last_error"];
  EXPECT_TRUE(contains(expect(0, {"status", "-f", file}, on_cluster()).out, "node " + node));
  EXPECT_TRUE(eventually([&] { return fetch(url).status == 7; })) << "somebody still listens";

  expect(0, {"apply", "--yes", "-f", file}, on_cluster());
  const auto after = told(file);
  EXPECT_NE(after["place"]["node"], node);
  EXPECT_EQ(after["services"][0]["state"], "ready") << after;
  EXPECT_EQ(after["ports"][0]["url"], url) << "it keeps its number";
  EXPECT_EQ(fetch(url + "price/fig").out, "{\"fig\": 2.18}\n");

  // The node comes back: what still ran there is ended, and the next lease removes what it left.
  mend(node);
  for (int count = 0; count < 600 && command({"flock", "-n", left[0] + "/lock", "true"}).status != 0;
       ++count) {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  expect(0, {"destroy", "--yes", "-f", file}, on_cluster());
  EXPECT_EQ(fetch(url).status, 7) << "nobody listens any more";
  place();
  EXPECT_EQ(lease_directories().size(), 1U);
}

TEST_F(Fleet, PortsAreCarriedToWhereTheyAreUsed) {
  spec("services:\n"
       "  web:\n"
       "    command: [/usr/bin/python3, -m, http.server, '8080']\n"
       "    readiness: {http: {port: 8080, path: /}}\n"
       "    ports: ['18713:8080', '9']\n");
  expect(0, {"apply", "--yes", "--on", "slurm:pyro"}, on_cluster());
  EXPECT_EQ(fetch("http://127.0.0.1:18713/hello").out, "from the checkout\n");
  expect(0, {"stop"}, on_cluster());
  expect(0, {"start"}, on_cluster());
  EXPECT_TRUE(eventually([&] { return fetch("http://127.0.0.1:18713/hello").out == "from the checkout\n"; }));

  // One that nobody serves inside is told.
  Json silent;
  const auto published = told()["ports"];
  for (const auto& port : published) {
    silent = port["port"] == 9 ? port : silent;
  }
  EXPECT_NE(fetch(fmt::format("http://127.0.0.1:{}/", silent["host_port"].get<int>())).status, 0);
  EXPECT_TRUE(eventually([&] { return told()["place"].value("refused", Json::object())["port"] == 9; }));

  // What carries them is started again where it was killed.
  const auto carriers = carriers_of_ports();
  ASSERT_EQ(carriers.size(), 1U);
  ::kill(carriers[0], SIGKILL);
  EXPECT_TRUE(eventually([&] { return fetch("http://127.0.0.1:18713/hello").status == 7; }));
  told();
  EXPECT_EQ(fetch("http://127.0.0.1:18713/hello").out, "from the checkout\n");

  const auto taken = another_project("taken");
  fs::copy(project(), taken, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  auto there = on_cluster();
  there.cwd = taken;
  const auto refused = pyro({"apply", "--yes", "--on", "slurm:pyro"}, there);
  EXPECT_EQ(refused.status, 1) << refused;
  EXPECT_TRUE(contains(refused.err, "18713")) << refused;

  OnATerminal forward(
      {(bin / "pyro").string(), "port-forward", "0:8080", "9", "--json"}, environment(on_cluster()),
      project());
  ASSERT_TRUE(forward.see("}]}")) << forward.seen();
  const auto said = forward.seen().substr(forward.seen().find("{\"ports\""));
  const auto ports = Json::parse(said.substr(0, said.find("}]}") + 3))["ports"];
  EXPECT_EQ(
      fetch(fmt::format("http://127.0.0.1:{}/hello", ports[0]["host_port"].get<int>())).out,
      "from the checkout\n");
  EXPECT_NE(fetch(fmt::format("http://127.0.0.1:{}/", ports[1]["host_port"].get<int>())).status, 0);
  EXPECT_TRUE(forward.see("{\"refused\":{\"port\":9,")) << forward.seen();
  expect(0, {"stop"}, on_cluster());
  EXPECT_TRUE(forward.see("ended")) << forward.seen();
  EXPECT_TRUE(told()["ports"].empty());

  expect(0, {"destroy", "--yes"}, on_cluster());
  EXPECT_TRUE(carriers_of_ports().empty());
}

} // namespace
} // namespace pyro::testing
