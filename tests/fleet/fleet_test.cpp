// Workspaces on nodes that Slurm lends: placed, used from here, and what becomes of them when their lease
// ends.
#include "../support/home.hpp"

#include <pyro/os/directory.hpp>

#include <fmt/format.h>

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
    cluster({"down", m_cluster.string()});
    EXPECT_EQ(lease_directories(), std::vector<std::string>()) << "leases left something on their nodes";
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

  Json told() { return json({"status"}, on_cluster()); }

  std::string slurm(const Arguments& argv) {
    const auto result = command(argv, on_cluster());
    EXPECT_EQ(result.status, 0) << result;
    return result.out;
  }

  void place() { expect(0, {"apply", "--yes", "--on", "slurm:pyro"}, on_cluster()); }

  /// Waits until status says that it is lost.
  Json wait_until_lost() {
    Json status;
    for (int count = 0; count < 600; ++count) {
      const auto result = pyro({"status", "--json"}, on_cluster());
      status = maybe_parse(result.out);
      if (result.status == 0 && status["state"] == "lost" && status["place"]["job_state"] != "COMPLETING") {
        return status;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    ADD_FAILURE() << "it is never lost: " << status;
    return status;
  }

  static Json maybe_parse(const std::string& text) {
    return Json::accept(text) ? Json::parse(text) : Json::object();
  }

  std::vector<std::string> lease_directories() const {
    std::vector<std::string> found;
    for (const auto& name : os::list_any_directory("/tmp")) {
      if (name.starts_with(fmt::format("pyro-{}-", ::getuid()))) {
        found.push_back(name);
      }
    }
    return found;
  }

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
  expect(10, {"cp", "hello", ":copied"}, on_cluster());
  expect(0, {"-w", "twin", "destroy", "--yes"}, on_cluster());
  EXPECT_EQ(told()["state"], "started") << "the lease goes with its last workspace only";
  EXPECT_EQ(expect(0, {"apply"}, on_cluster()).status, 0);

  expect(0, {"destroy", "--yes"}, on_cluster());
  EXPECT_EQ(slurm({"squeue", "-h"}), "");
  EXPECT_TRUE(lease_directories().empty());
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

TEST_F(Fleet, AFailedNodeIsToldAndLeft) {
  place();
  const auto node = told()["place"]["node"].get<std::string>();
  const auto left = lease_directories();
  ASSERT_EQ(left.size(), 1U);
  cut(node);
  const auto lost = wait_until_lost();
  EXPECT_TRUE(contains(lost["last_error"].get<std::string>(), "its node failed")) << lost["last_error"];
  EXPECT_EQ(lost["place"]["node"], node);
  expect(0, {"apply", "--yes"}, on_cluster());
  EXPECT_NE(told()["place"]["node"], node);

  // The node comes back: what still ran there is ended, and the next lease removes what it left.
  mend(node);
  for (int count = 0;
       count < 600 && command({"flock", "-n", "/tmp/" + left[0] + "/lock", "true"}).status != 0; ++count) {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  expect(0, {"destroy", "--yes"}, on_cluster());
  place();
  EXPECT_EQ(lease_directories().size(), 1U);
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
