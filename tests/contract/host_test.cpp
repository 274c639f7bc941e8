// The backend "host": never taken without being agreed to, and honest about what does not hold there.
#include "contract.hpp"

#include <pyro/base/json_access.hpp>

namespace pyro::contract {
namespace {

TEST_P(ContractHost, fail_closed) {
  for (const auto* wanted : {"auto", "host"}) {
    const auto vm = call("vm_create", {{"environment", environment()}, {"backend", wanted}});
    const Json which{{"vm_id", vm["vm_id"]}};
    fails("vm_start", which, ErrorCode::unavailable, "guest boot is unavailable");
    fails("vm_start", which, ErrorCode::unavailable, "allow_host_compat"); // what would make it work
    EXPECT_EQ(call("vm_status", which)["state"], "created");
    fails(
        "workspace_create", {{"environment", environment()}, {"backend", wanted}}, ErrorCode::unavailable,
        "guest boot is unavailable");
  }
  EXPECT_EQ(call("workspace_list")["count"], 0);
  const auto agreed = call("vm_create", {{"environment", environment()}, {"allow_host_compat", true}});
  const auto started = call("vm_start", {{"vm_id", agreed["vm_id"]}});
  EXPECT_EQ(started["execution_mode"], "host_compat");
  EXPECT_NE(started["notes"].dump().find("no isolation"), std::string::npos) << started["notes"];
}

TEST_P(ContractHost, fail_closed__by_a_file) {
  const auto project = tree(
      "project",
      {{"file", "content\n"},
       {"pyro.yaml",
        "version: 1\nname: weak\nisolation: host\nbackend: host\nenvironment:\n  image: " + environment()
            + "\nseed:\n  from: .\nservices:\n  web:\n    command: [sleep, \"1000\"]\n"}});
  const Json where{{"directory", project.string()}};
  fails("apply", where, ErrorCode::unavailable, "allow_host_compat");
  const auto applied = call("apply", {{"directory", project.string()}, {"allow_host_compat", true}});
  EXPECT_EQ(applied["services"][0]["state"], "ready") << applied["services"];
  EXPECT_EQ(output("weak", "cat file"), "content\n");
}

TEST_P(ContractHost, ws_network__off_cannot_be_held) {
  fails(
      "workspace_create",
      {{"environment", environment()}, {"allow_host_compat", true}, {"network_policy", "off"}},
      ErrorCode::unavailable, "cannot keep the network off");
  const auto workspace = create();
  EXPECT_NE(workspace["notes"].dump().find("network of this machine is open"), std::string::npos);
}

TEST_P(ContractHost, reset_round_trip) {
  const auto seed = tree("seed", {{"file", "seed\n"}, {"dir/other", "other\n"}});
  const auto id = create_id({{"seed_path", seed.string()}});
  const Json which{{"workspace_id", id}};
  EXPECT_EQ(output(id, "cat file dir/other"), "seed\nother\n");
  EXPECT_EQ(output(id, "cd /; cd - >/dev/null; pwd"), output(id, "pwd"));
  EXPECT_EQ(call("workspace_diff", which)["changed"], false);
  output(id, "echo checkpoint > file; rm dir/other; echo new > added");
  const auto diff = call("workspace_diff", which);
  EXPECT_EQ(diff["summary"]["total"], 3) << diff.dump(2);
  call("snapshot_create", {{"workspace_id", id}, {"snapshot_name", "point"}});
  output(id, "echo after > file; rm added");
  call("workspace_reset", {{"workspace_id", id}, {"snapshot", "point"}});
  EXPECT_EQ(output(id, "cat file added; ls"), "checkpoint\nnew\nadded\ndir\nfile\n");
  call("workspace_reset", which);
  EXPECT_EQ(output(id, "cat file dir/other"), "seed\nother\n");
  EXPECT_EQ(call("workspace_diff", which)["changed"], false);
}

TEST_P(ContractHost, reset_round_trip__nothing_lives_on) {
  const auto id = create_id();
  output(id, "setsid sh -c 'sleep 3000 & sleep 3000' >/dev/null 2>&1 & echo started");
  call("workspace_stop", {{"workspace_id", id}});
  // Contract::TearDown counts what is left.
}

} // namespace
} // namespace pyro::contract
