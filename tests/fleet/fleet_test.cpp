// Workspaces on nodes that Slurm lends: placed, used from here, and what becomes of them when their lease
// ends.
#include "../support/leftovers.hpp"
#include "../support/terminal.hpp"

#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <iterator>
#include <map>
#include <regex>
#include <thread>
#include <unistd.h>

namespace pyro::testing {
namespace {

/// A cluster of two nodes for each test, and a project that lives there.
class Fleet : public Functional {
protected:
  void SetUp() override {
    if (::getuid() != 0) {
      GTEST_SKIP() << "only root can start the daemons of a cluster";
    }
    Functional::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    m_cluster = fmt::format("/dev/shm/pyro-fleet-{}", ::getpid());
    cluster({"up", m_cluster.string(), "2"});
    spec("lifecycle: {ttl: 10m}\n");
    write_file(project() / "hello", "from the checkout\n");
  }

  void TearDown() override {
    if (m_cluster.empty()) {
      return;
    }
    const auto listed = json({"ls"}, on_cluster());
    for (const auto& placed : listed["workspaces"]) {
      expect(0, {"destroy", "--yes", "-w", placed["workspace_id"].get<std::string>()}, on_cluster());
    }
    EXPECT_EQ(lease_directories(), std::vector<std::string>()) << "leases left something on their nodes";
    cluster({"down", m_cluster.string()});
    Functional::TearDown();
  }

  void cluster(const Arguments& arguments) {
    Arguments argv{(source_dir() / "tests/fleet/cluster").string()};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    const auto result = command(argv);
    ASSERT_EQ(result.status, 0) << result;
  }

  void cut(const std::string& node) { cluster({"cut", m_cluster.string(), node}); }

  void mend(const std::string& node) { cluster({"mend", m_cluster.string(), node}); }

  RunOptions on_cluster() const {
    RunOptions options;
    options.env["SLURM_CONF"] = (m_cluster / "slurm.conf").string();
    return options;
  }

  Json told(const std::string& file = "pyro.yaml") { return json({"status", "-f", file}, on_cluster()); }

  /// Processes of this test's state directory that listen for it on this machine.
  std::vector<pid_t> carriers_of_ports() const {
    std::vector<pid_t> found;
    for (const auto pid : processes_naming(state().string())) {
      const auto line = os::maybe_read_file(fmt::format("/proc/{}/cmdline", pid)).value_or("");
      if (contains(line, std::string("pyro-node\0carry", 15))) {
        found.push_back(pid);
      }
    }
    return found;
  }

  std::string slurm(const Arguments& argv) {
    const auto result = command(argv, on_cluster());
    EXPECT_EQ(result.status, 0) << result;
    return result.out;
  }

  void place() { expect(0, {"apply", "--yes", "--on", "slurm:pyro"}, on_cluster()); }

  /// Waits until status says that it is lost.
  Json wait_until_lost(const std::string& file = "pyro.yaml") {
    Json status;
    for (int count = 0; count < 600; ++count) {
      const auto result = pyro({"status", "--json", "-f", file}, on_cluster());
      status = maybe_parse(result.out);
      if (result.status == 0 && status["state"] == "lost" && status["place"]["job_state"] != "COMPLETING") {
        return status;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    ADD_FAILURE() << "it is never lost: " << status;
    return status;
  }

  Result fetch(const std::string& url) { return command({"curl", "-sS", "--max-time", "20", url}); }

  static std::vector<std::string> list_names(const std::string& directory) {
    auto names = os::list_any_directory(directory);
    std::sort(names.begin(), names.end());
    return names;
  }

  static Json maybe_parse(const std::string& text) {
    return Json::accept(text) ? Json::parse(text) : Json::object();
  }

  /// The process whose /tmp is the node's.
  std::string process_of(const std::string& node) const {
    const auto pid = os::maybe_read_file((m_cluster / "run" / (node + ".pid")).string()).value_or("");
    return pid.substr(0, pid.find('\n'));
  }

  /// What leases have on their nodes, as this machine sees it.
  std::vector<std::string> lease_directories() const {
    std::vector<std::string> found;
    for (const auto* node : {"n1", "n2"}) {
      const auto directory = fmt::format("/proc/{}/root/tmp", process_of(node));
      for (const auto& name : os::list_any_directory(directory)) {
        if (std::regex_match(name, std::regex("pyro-[0-9]+-[0-9]+"))) {
          found.push_back(directory + "/" + name);
        }
      }
    }
    return found;
  }

  const fs::path& cluster_directory() const { return m_cluster; }

private:
  fs::path m_cluster;
};

TEST_F(Fleet, PlacesAreListed) {
  const auto places = json({"on"}, on_cluster())["places"];
  ASSERT_EQ(places.size(), 3U) << places;
  EXPECT_EQ(places[0]["on"], "here");
  EXPECT_EQ(places[1]["on"], "slurm:pyro");
  EXPECT_EQ(places[1]["nodes"], 2);
  EXPECT_EQ(places[1]["cpus"], 8);
  EXPECT_EQ(places[1]["available"], true);
  EXPECT_EQ(json({"on", "slurm:short"}, on_cluster())["places"].size(), 1U);
  EXPECT_EQ(pyro({"on", "slurm:other"}, on_cluster()).status, 1);
  auto broken = on_cluster();
  broken.env["SLURM_CONF"] = "/nonexistent/slurm.conf";
  const auto silent = json({"on"}, broken)["places"];
  EXPECT_EQ(silent[1]["available"], false) << silent;
  expect(10, {"apply", "--yes", "--on", "slurm:pyro"}, broken);
}

TEST_F(Fleet, EveryCommandReachesTheNode) {
  place();
  const auto status = told();
  EXPECT_EQ(status["state"], "started");
  EXPECT_EQ(status["place"]["on"], "slurm:pyro");
  EXPECT_EQ(
      slurm({"squeue", "-h", "-o", "%i %N"}),
      fmt::format(
          "{} {}\n", status["place"]["job"].get<std::string>(), status["place"]["node"].get<std::string>()));
  EXPECT_EQ(lease_directories().size(), 1U);
  EXPECT_EQ(expect(0, {"exec", "--", "cat", "hello"}, on_cluster()).out, "from the checkout\n");

  auto with_input = on_cluster();
  with_input.input = std::string(3'000'000, 'x');
  const auto both = pyro({"exec", "--", "sh", "-c", "cat; echo complaint >&2; exit 7"}, with_input);
  EXPECT_EQ(both.status, 7);
  EXPECT_EQ(both.out, with_input.input);
  EXPECT_EQ(both.err, "complaint\n");
  EXPECT_EQ(
      Json::parse(expect(0, {"exec", "--json", "--", "echo", "captured"}, on_cluster()).out)["stdout"],
      "captured\n");

  expect(0, {"exec", "--", "sh", "-c", "echo changed > hello"}, on_cluster());
  EXPECT_TRUE(contains(expect(0, {"diff"}, on_cluster()).out, "/workspace/hello"));
  expect(0, {"snapshot", "save", "kept"}, on_cluster());
  expect(0, {"reset", "--yes", "--to", "baseline"}, on_cluster());
  EXPECT_EQ(expect(0, {"exec", "--", "cat", "hello"}, on_cluster()).out, "from the checkout\n");
  expect(0, {"undo"}, on_cluster());
  EXPECT_EQ(expect(0, {"exec", "--", "cat", "hello"}, on_cluster()).out, "changed\n");

  expect(0, {"fork", "twin"}, on_cluster());
  EXPECT_EQ(expect(0, {"-w", "twin", "exec", "--", "cat", "hello"}, on_cluster()).out, "changed\n");
  EXPECT_EQ(json({"ls"}, on_cluster())["count"], 2);
  expect(0, {"-w", "twin", "destroy", "--yes"}, on_cluster());
  EXPECT_EQ(told()["state"], "started") << "the lease goes with its last workspace only";
  EXPECT_EQ(expect(0, {"apply"}, on_cluster()).status, 0);

  expect(0, {"destroy", "--yes"}, on_cluster());
  EXPECT_EQ(slurm({"squeue", "-h"}), "");
  EXPECT_TRUE(lease_directories().empty());
}

/// Programs, state directory and checkout lie where an ordinary user and the nodes reach them.
class FleetOfUsers : public Fleet {
protected:
  void SetUp() override {
    Fleet::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    fs::create_directory(cluster_directory() / "bin");
    for (const auto* program : {"pyro", "pyro-node", "pyro-supervisor", "pyro-agent", "pyro-gateway"}) {
      fs::copy_file(bin / program, cluster_directory() / "bin" / program);
    }
    for (const auto* user : {"pyro-tester", "pyro-tester-2"}) {
      RunOptions options;
      options.cwd = source_dir();
      options.env["PYRO_TEST_USER"] = user;
      const auto made = command({".ci/as-test-user", "true"}, options);
      ASSERT_EQ(made.status, 0) << made;
      fs::create_directories(checkout(user));
      fs::copy(project(), checkout(user), fs::copy_options::recursive);
      ASSERT_EQ(command({"chown", "-R", user, (cluster_directory() / user).string()}).status, 0);
    }
  }

  fs::path checkout(const std::string& user) const { return cluster_directory() / user / "checkout"; }

  Result as(const std::string& user, const Arguments& arguments) {
    auto options = on_cluster();
    options.cwd = checkout(user);
    options.env["HOME"] = (cluster_directory() / user).string();
    options.env["PYRO_HOME"] = (cluster_directory() / user / "state").string();
    options.env["PYRO_LIBEXEC"] = "";
    Arguments argv{"setpriv", "--reuid", user, "--regid", user, "--init-groups", "--"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return command(argv, options);
  }

  Result pyro_as(const std::string& user, Arguments arguments) {
    arguments.insert(arguments.begin(), (cluster_directory() / "bin/pyro").string());
    return as(user, arguments);
  }

  Json json_as(const std::string& user, Arguments arguments) {
    arguments.emplace_back("--json");
    const auto result = pyro_as(user, arguments);
    EXPECT_EQ(result.status, 0) << result;
    return maybe_parse(result.out);
  }
};

TEST_F(FleetOfUsers, NobodySeesWhatIsAnothers) {
  const std::vector<std::string> users{"pyro-tester", "pyro-tester-2"};
  std::map<std::string, Json> status;
  for (const auto& user : users) {
    const auto applied = pyro_as(user, {"apply", "--yes", "--on", "slurm:pyro"});
    ASSERT_EQ(applied.status, 0) << applied;
    EXPECT_EQ(pyro_as(user, {"exec", "--", "cat", "hello"}).out, "from the checkout\n");
    status[user] = json_as(user, {"status"});
  }
  EXPECT_EQ(lease_directories().size(), 2U);
  for (const auto& user : users) {
    const auto& others = status[user == users[0] ? users[1] : users[0]];
    const auto job = others["place"]["job"].get<std::string>();
    EXPECT_EQ(json_as(user, {"ls"})["count"], 1);
    EXPECT_NE(pyro_as(user, {"status", "-w", others["workspace_id"].get<std::string>()}).status, 0);
    EXPECT_NE(as(user, {"srun", "--jobid=" + job, "--overlap", "true"}).status, 0);
    EXPECT_NE(as(user, {"scancel", job}).status, 0);
    int seen = 0;
    for (const auto& directory : lease_directories()) {
      const fs::path path(directory);
      const auto listed = command(
          {"nsenter", "--mount", "--target", std::next(path.begin(), 2)->string(), "--", "setpriv", "--reuid",
           user, "--regid", user, "--init-groups", "ls", "/tmp/" + path.filename().string()});
      seen += listed.status == 0 ? 1 : 0;
    }
    EXPECT_EQ(seen, 1) << "its own lease's directory, and no other";
  }
  for (const auto& user : users) {
    EXPECT_EQ(json_as(user, {"status"})["state"], "started");
    const auto destroyed = pyro_as(user, {"destroy", "--yes"});
    EXPECT_EQ(destroyed.status, 0) << destroyed;
  }
  EXPECT_EQ(slurm({"squeue", "-h"}), "");
  EXPECT_TRUE(lease_directories().empty());
}

TEST_F(Fleet, FilesAreCopiedBothWays) {
  place();
  fs::create_directories(root() / "tree/below");
  write_file(root() / "tree/below/tool", "#!/bin/sh\necho it runs\n");
  fs::permissions(root() / "tree/below/tool", fs::perms(0755));
  fs::create_symlink("below/tool", root() / "tree/link");
  const std::string large(30'000'000, 'y');
  write_file(root() / "large", large);
  const auto out = (root() / "out").string();
  fs::create_directories(out);

  expect(0, {"cp", (root() / "tree").string(), ":copied"}, on_cluster());
  EXPECT_EQ(inside("./copied/link", on_cluster()).out, "it runs\n");
  expect(0, {"cp", (root() / "tree/.").string(), ":"}, on_cluster());
  EXPECT_EQ(inside("./link", on_cluster()).out, "it runs\n");
  expect(0, {"cp", (root() / "large").string(), ":copied/"}, on_cluster());
  EXPECT_EQ(inside("wc -c < copied/large; stat -c %a copied/large", on_cluster()).out, "30000000\n644\n");

  expect(0, {"cp", ":copied", out}, on_cluster());
  EXPECT_EQ(read_file(root() / "out/copied/large"), large);
  EXPECT_EQ(fs::read_symlink(root() / "out/copied/link"), "below/tool");
  EXPECT_EQ(fs::status(root() / "out/copied/below/tool").permissions(), fs::perms(0755));
  expect(0, {"cp", ":hello", out + "/greeting"}, on_cluster());
  EXPECT_EQ(read_file(root() / "out/greeting"), "from the checkout\n");
  expect(1, {"cp", ":hello", out + "/greeting"}, on_cluster());
  EXPECT_NE(pyro({"cp", ":nothing", out}, on_cluster()).status, 0);
  EXPECT_NE(pyro({"cp", (root() / "nothing").string(), ":"}, on_cluster()).status, 0);
  EXPECT_EQ(list_names(out), (std::vector<std::string>{"copied", "greeting"})) << "nothing half copied";

  expect(0, {"fork", "twin"}, on_cluster());
  inside("echo changed > hello", on_cluster());
  expect(0, {"cp", ":hello", "twin:from-the-other"}, on_cluster());
  EXPECT_EQ(expect(0, {"exec", "-w", "twin", "--", "cat", "from-the-other"}, on_cluster()).out, "changed\n");
}

TEST_F(Fleet, HowALeaseEndsIsTold) {
  place();
  const auto first = told()["place"];
  EXPECT_NEAR(first["ends_at"].get<double>() - first["since"].get<double>(), 600, 60);

  // Another partition takes the nodes.
  slurm({"sbatch", "--partition=urgent", "--nodes=2", "--exclusive", "--output=/dev/null", "--wrap=sleep 1"});
  auto lost = wait_until_lost();
  EXPECT_TRUE(contains(lost["last_error"].get<std::string>(), "another job took its place"))
      << lost["last_error"];
  EXPECT_EQ(lost["place"]["job_state"], "PREEMPTED");

  // An administrator puts it back into the queue: what was on its node is gone all the same.
  expect(0, {"apply", "--yes"}, on_cluster());
  auto job = told()["place"]["job"].get<std::string>();
  slurm({"scontrol", "suspend", job});
  const auto suspended = told();
  EXPECT_TRUE(contains(suspended["last_error"].get<std::string>(), "suspended")) << suspended;
  EXPECT_EQ(pyro({"exec", "--", "true"}, on_cluster()).status, 125);
  slurm({"scontrol", "resume", job});
  slurm({"scontrol", "update", "JobId=" + job, "Requeue=1"});
  slurm({"scontrol", "requeue", job});
  lost = wait_until_lost();
  EXPECT_TRUE(contains(lost["last_error"].get<std::string>(), "put back into the queue")) << lost;
  EXPECT_EQ(slurm({"squeue", "-h", "--job=" + job}), "") << "it would begin anew, with nobody to use it";

  // Its time is over; Slurm looks twice a minute.
  expect(0, {"apply", "--yes"}, on_cluster());
  job = told()["place"]["job"].get<std::string>();
  slurm({"scontrol", "update", "JobId=" + job, "EndTime=now+1"});
  lost = wait_until_lost();
  EXPECT_TRUE(contains(lost["last_error"].get<std::string>(), "its time was over")) << lost;
}

TEST_F(Fleet, ACancelledLeaseIsToldAndPlacedAnew) {
  place();
  expect(0, {"snapshot", "save", "kept"}, on_cluster());
  told();
  const auto job = told()["place"]["job"].get<std::string>();
  slurm({"scancel", job});
  const auto lost = wait_until_lost();
  EXPECT_TRUE(contains(lost["last_error"].get<std::string>(), "it was cancelled")) << lost["last_error"];
  EXPECT_EQ(lost["place"]["lost"].back(), "the snapshot kept");
  const auto refused = pyro({"exec", "--", "true"}, on_cluster());
  EXPECT_EQ(refused.status, 125);
  EXPECT_TRUE(contains(refused.err, "job " + job)) << refused;
  expect(0, {"apply", "--yes"}, on_cluster());
  EXPECT_NE(told()["place"]["job"], job);
  EXPECT_EQ(expect(0, {"exec", "--", "cat", "hello"}, on_cluster()).out, "from the checkout\n");
}

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
  const auto began = std::chrono::steady_clock::now();
  const auto lost = wait_until_lost(file);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::minutes(1));
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
  for (const auto* rows : {"stop", "start"}) {
    expect(0, {rows}, on_cluster());
  }
  EXPECT_EQ(fetch("http://127.0.0.1:18713/hello").out, "from the checkout\n");

  // One that nobody serves inside is told.
  Json silent;
  for (const auto& port : told()["ports"]) {
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

TEST_F(Fleet, WhatNoNodeHasIsRefusedAndLeavesNothing) {
  write_file(
      project() / "pyro.yaml",
      "version: 1\nname: test\nenvironment: {image: host, resources: {memory: 500GiB}}\nseed: {from: .}\n");
  expect(10, {"apply", "--yes", "--on", "slurm:pyro"}, on_cluster());
  spec("lifecycle: {ttl: 5h}\n");
  const auto too_long = pyro({"apply", "--yes", "--on", "slurm:pyro"}, on_cluster());
  EXPECT_EQ(too_long.status, 10) << too_long;
  spec();
  expect(10, {"apply", "--yes", "--on", "slurm:nosuch"}, on_cluster());
  expect(64, {"apply", "--yes", "--on", "slurm:pyro,--wrap=id"}, on_cluster());
  EXPECT_EQ(slurm({"squeue", "-h"}), "");
  EXPECT_EQ(json({"ls"}, on_cluster())["count"], 0);
}

} // namespace
} // namespace pyro::testing
