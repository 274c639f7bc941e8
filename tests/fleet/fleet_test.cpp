// Workspaces on nodes that Slurm lends: placed, used from here, and what becomes of them when their lease
// ends.
#include "fleet.hpp"

namespace pyro::testing {
namespace {

TEST_F(Fleet, PlacesAreListed) {
  const auto places = json({"on"}, on_cluster())["places"];
  ASSERT_EQ(places.size(), 4U) << places;
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
  EXPECT_TRUE(eventually([&] {
    return slurm({"squeue", "-h", "--job=" + job}).empty();
  })) << "it would begin anew, with nobody to use it";

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
