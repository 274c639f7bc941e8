// ws-stop-start, ws-list-update, ws-dead-guest, ws-reap, ws-network: the life of a workspace made by hand.
#include "../support/leftovers.hpp"
#include "contract.hpp"

#include <pyro/base/json_access.hpp>

#include <csignal>
#include <cstdlib>

namespace pyro::contract {
namespace {

std::vector<std::string> ids_of(const Json& list) {
  std::vector<std::string> ids;
  for (const auto& one : list["workspaces"]) {
    ids.push_back(one["workspace_id"]);
  }
  return ids;
}

bool is_installed(const std::string& program) {
  return std::system(("command -v " + program + " >/dev/null").c_str()) == 0;
}

TEST_P(ContractSandbox, ws_stop_start) {
  const auto id = create_id({{"seed_path", tree("seed", {{"seeded", "from outside\n"}}).string()}});
  output(id, "echo mine > file; rm -f /tmp/x; mkdir -p deep/er; ln -s file link; chmod 640 file");
  const auto stopped = call("workspace_stop", by_id(id));
  EXPECT_EQ(stopped["state"], "stopped");
  EXPECT_TRUE(stopped["sandbox_pid"].is_null());
  EXPECT_EQ(call("workspace_stop", by_id(id))["state"], "stopped") << "once more is no error";
  reopen();
  const auto started = call("workspace_start", by_id(id));
  EXPECT_EQ(started["state"], "started");
  EXPECT_EQ(started["command_count"], 1);
  EXPECT_EQ(
      output(id, "cat seeded file link; stat -c %a file; ls -d deep/er"),
      "from outside\nmine\nmine\n640\ndeep/er\n");
}

TEST_P(ContractSandbox, ws_list_update) {
  const auto one = create_id({{"name", "one"}, {"labels", {{"team", "web"}, {"tier", "a"}}}});
  const auto two = create_id({{"name", "two"}, {"labels", {{"team", "web"}}}});
  const auto three = create_id({{"name", "three"}});
  EXPECT_EQ(ids_of(call("workspace_list")), (std::vector<std::string>{three, two, one}));
  output(one, "true");
  EXPECT_EQ(ids_of(call("workspace_list")), (std::vector<std::string>{one, three, two}))
      << "a command is activity";

  EXPECT_EQ(ids_of(call("workspace_list", {{"name", "two"}})), std::vector<std::string>{two});
  EXPECT_EQ(
      ids_of(call("workspace_list", {{"labels", {{"team", "web"}}}})), (std::vector<std::string>{one, two}));
  EXPECT_EQ(
      ids_of(call("workspace_list", {{"labels", {{"team", "web"}, {"tier", "a"}}}})),
      std::vector<std::string>{one});
  call("workspace_stop", by_id(two));
  EXPECT_EQ(ids_of(call("workspace_list", {{"state", "stopped"}})), std::vector<std::string>{two});
  EXPECT_EQ(call("workspace_list", {{"state", "started"}})["count"], 2);

  const auto updated = call(
      "workspace_update", {{"workspace_id", "one"},
                           {"name", "first"},
                           {"labels", {{"team", "db"}, {"price", "$5"}}},
                           {"clear_labels", {"tier"}}});
  EXPECT_EQ(updated["workspace_id"], one) << "the id stays the identity";
  EXPECT_EQ(updated["name"], "first");
  EXPECT_EQ(updated["labels"], (Json{{"team", "db"}, {"price", "$5"}}));
  reopen();
  EXPECT_EQ(call("workspace_status", by_id("first"))["workspace_id"], one);
  EXPECT_EQ(call("workspace_status", by_id(one.substr(0, 8)))["workspace_id"], one) << "so does a part of it";
  fails("workspace_status", by_id("one"), ErrorCode::not_found, "does not exist");
  fails(
      "workspace_update", {{"workspace_id", one}, {"name", "no good/name"}}, ErrorCode::invalid_argument,
      "name");
  EXPECT_EQ(call("workspace_status", by_id(one))["name"], "first");
}

TEST_P(ContractSandbox, ws_dead_guest) {
  const auto id = create_id();
  output(id, "echo kept > file");
  const auto pid = call("workspace_status", by_id(id))["sandbox_pid"].get<pid_t>();
  ASSERT_EQ(::kill(pid, SIGKILL), 0);
  EXPECT_TRUE(testing::eventually([&] { return call("workspace_status", by_id(id))["state"] == "stopped"; }));
  const auto status = call("workspace_status", by_id(id));
  EXPECT_NE(status["last_error"].get<std::string>().find("backing guest process"), std::string::npos)
      << status["last_error"];
  fails(
      "workspace_exec", {{"workspace_id", id}, {"command", "true"}}, ErrorCode::bad_state,
      "must be in 'started' state");
  call("workspace_start", by_id(id));
  EXPECT_EQ(output(id, "cat file"), "kept\n");
  EXPECT_EQ(call("workspace_status", by_id(id))["last_error"], "");
}

TEST_P(ContractSandbox, ws_dead_guest__supervisor) {
  const auto id = create_id();
  const auto pid = call("workspace_status", by_id(id))["supervisor_pid"].get<pid_t>();
  ASSERT_EQ(::kill(pid, SIGKILL), 0);
  EXPECT_TRUE(testing::eventually([&] { return call("workspace_status", by_id(id))["state"] == "stopped"; }));
  const auto record = Json::parse(testing::read_file(base() / "workspaces" / id / "workspace.json"));
  EXPECT_EQ(record["state"], "stopped") << "not only shown: stored";
  EXPECT_NE(record["last_error"].get<std::string>().find("backing guest process"), std::string::npos);
}

TEST_P(ContractSandbox, ws_reap) {
  const auto record_of = [this](const std::string& id) {
    return base() / "workspaces" / id / "workspace.json";
  };
  const auto expire = [&](const std::string& id) {
    auto record = Json::parse(testing::read_file(record_of(id)));
    record["expires_at"] = 1000.5;
    testing::write_file(record_of(id), record.dump(2));
  };
  const auto fresh = create_id({{"ttl_seconds", 600}});
  const auto running = create_id();
  const auto stopped = create_id();
  const auto broken = create_id();
  call("workspace_stop", by_id(stopped));
  EXPECT_EQ(call("workspace_reap")["count"], 0);
  expire(running);
  expire(stopped);
  testing::write_file(record_of(broken), "{\"workspace_id\": \"" + broken + "\", \"state\"");
  reopen();
  const auto reaped = call("workspace_reap");
  EXPECT_EQ(reaped["count"], 3);
  EXPECT_EQ(ids_of(call("workspace_list")), std::vector<std::string>{fresh});
  for (const auto& id : {running, stopped, broken}) {
    EXPECT_FALSE(fs::exists(base() / "workspaces" / id));
  }
  EXPECT_EQ(call("workspace_reap")["count"], 0);
  EXPECT_EQ(output(fresh, "echo well"), "well\n");
}

TEST_P(ContractSandbox, ws_network) {
  const auto off = create();
  const auto id = off["workspace_id"].get<std::string>();
  EXPECT_EQ(off["network_policy"], "off");
  EXPECT_EQ(
      output(id, "ls /sys/class/net 2>/dev/null || tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '"),
      "lo\n");
  EXPECT_NE(exec(id, "nc -w 2 192.0.2.1 80 </dev/null")["exit_code"], 0);
  fails(
      "workspace_create", {{"environment", environment()}, {"network_policy", "open"}},
      ErrorCode::invalid_argument, "network_policy");
}

TEST_P(ContractSandbox, ws_network__egress) {
  const Json wanted{{"environment", environment()}, {"network_policy", "egress"}};
  if (!is_installed("pasta")) { // then it must be refused, and say what would make it work
    fails("workspace_create", wanted, ErrorCode::unavailable, "passt");
    return;
  }
  const auto workspace = call("workspace_create", wanted);
  EXPECT_EQ(workspace["network_policy"], "egress");
  const auto devices =
      output(workspace["workspace_id"], "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' ' | grep -vx lo");
  EXPECT_FALSE(devices.empty());
}

TEST_P(ContractSandbox, ws_network__hosts) {
  const auto workspace = call(
      "workspace_create",
      {{"environment", environment()}, {"network_policy", "egress"}, {"egress_hosts", {"example.org"}}});
  const auto id = workspace["workspace_id"].get<std::string>();
  EXPECT_EQ(workspace["network"]["egress"], "example.org");
  EXPECT_EQ(output(id, "cat /etc/resolv.conf"), "nameserver 198.18.0.1\n");
  EXPECT_NE(exec(id, "nc -w 5 192.0.2.1 81 </dev/null")["exit_code"], 0);
  call("workspace_delete", by_id(id));
  fails(
      "workspace_create", {{"environment", environment()}, {"egress_hosts", {"example.org"}}},
      ErrorCode::invalid_argument, "needs network_policy 'egress'");
  EXPECT_EQ(call("workspace_list")["count"], 0);
}

TEST_P(ContractSandbox, ws_create__summary) {
  const auto id = create_id({{"name", "looked-at"}});
  output(id, "echo new > added.txt; mkdir d");
  const auto summary = call("workspace_summary", by_id(id));
  EXPECT_EQ(summary["name"], "looked-at");
  EXPECT_EQ(summary["commands"]["count"], 1);
  EXPECT_EQ(summary["commands"]["recent"][0]["command"], "echo new > added.txt; mkdir d");
  EXPECT_EQ(summary["services"]["count"], 0);
  EXPECT_EQ(summary["snapshots"]["names"], Json{"baseline"});
  EXPECT_EQ(summary["changes"]["changed"], true);
  std::set<std::string> paths;
  for (const auto& entry : summary["changes"]["entries"]) {
    paths.insert(entry["path"].get<std::string>());
  }
  EXPECT_TRUE(paths.contains("added.txt")) << summary["changes"];
  EXPECT_GT(summary["size_bytes"].get<int>(), 0);
}

} // namespace
} // namespace pyro::contract
