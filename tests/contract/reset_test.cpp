// The full reset: the sandbox is made anew as a snapshot has it.
#include "../support/leftovers.hpp"
#include "contract.hpp"

#include <pyro/base/json_access.hpp>

#include <csignal>

namespace pyro::contract {
namespace {

void take(Contract& test, const std::string& id, const std::string& name) {
  test.call("snapshot_create", {{"workspace_id", id}, {"snapshot_name", name}});
}

Json status(Contract& test, const std::string& id) {
  return test.call("workspace_status", {{"workspace_id", id}});
}

Json reset(Contract& test, const std::string& id, const std::string& snapshot = "") {
  Json given{{"workspace_id", id}};
  if (!snapshot.empty()) {
    given["snapshot"] = snapshot;
  }
  return test.call("workspace_reset", given);
}

/// Everything that a reset to anything must take back.
void make_a_mess(Contract& test, const std::string& id) {
  test.output(
      id, "echo mess > seeded; echo mess > mess; echo mess > /tmp/mess; echo mess > /etc/mess; "
          "echo mess > /dev/shm/mess; rm -rf /var/lib; setsid sleep 1234 > /dev/null 2>&1 & sleep 0.2");
  EXPECT_EQ(test.output(id, "ps | grep 'sleep 123[4]' | wc -l"), "1\n");
}

void expect_no_mess(Contract& test, const std::string& id) {
  EXPECT_EQ(test.output(id, "ls mess /tmp/mess /etc/mess /dev/shm/mess 2> /dev/null | wc -l"), "0\n");
  EXPECT_EQ(test.output(id, "ls -d /var/lib"), "/var/lib\n");
  EXPECT_EQ(test.output(id, "ps | grep 'sleep 123[4]' | wc -l"), "0\n") << "a process outlived the reset";
}

std::vector<pid_t> processes(const Contract& test, const std::string& id) {
  return testing::processes_naming((test.base() / "workspaces" / id).string());
}

/// What must hold after a reset that failed, `snapshots` being those before.
void expect_failed_cleanly(Contract& test, const std::string& id, const Json& snapshots) {
  const auto now = status(test, id);
  EXPECT_EQ(now["state"], "stopped");
  EXPECT_FALSE(now["last_error"].get<std::string>().empty());
  EXPECT_TRUE(now["sandbox_pid"].is_null()) << now["sandbox_pid"].dump();
  EXPECT_EQ(now["reset_count"], 0);
  EXPECT_EQ(test.call("snapshot_list", {{"workspace_id", id}}), snapshots);
  if (!testing::eventually([&] { return processes(test, id).empty(); })) {
    ADD_FAILURE() << "left: " << testing::describe(processes(test, id).front());
  }
}

TEST_P(ContractSandbox, reset_baseline) {
  const auto seed = tree("seed", {{"seeded", "seed\n"}});
  const auto id = create_id({{"seed_path", seed.string()}, {"name", "kept"}, {"labels", {{"team", "web"}}}});
  const auto before = status(*this, id);
  take(*this, id, "named");
  make_a_mess(*this, id);
  const auto shell = call("shell_open", {{"workspace_id", id}})["shell_id"];
  ASSERT_GT(status(*this, id)["command_count"], 0);

  const auto after = reset(*this, id);
  EXPECT_EQ(after["workspace_reset"]["snapshot_name"], "baseline");
  EXPECT_EQ(after["reset_count"], 1);
  EXPECT_GE(after["last_reset_at"].get<double>(), before["created_at"].get<double>());
  EXPECT_EQ(after["state"], "started");
  EXPECT_EQ(after["command_count"], 0);
  EXPECT_TRUE(after["last_command"].is_null());
  EXPECT_EQ(after["service_count"], 0);
  for (const auto* kept : {"workspace_id", "name", "labels", "workspace_seed", "environment", "created_at"}) {
    EXPECT_EQ(after[kept], before[kept]) << kept;
  }
  EXPECT_GE(after["expires_at"].get<double>(), before["expires_at"].get<double>());
  EXPECT_EQ(call("workspace_logs", {{"workspace_id", id}})["count"], 0);
  EXPECT_EQ(call("shell_list", {{"workspace_id", id}})["count"], 0);
  EXPECT_EQ(call("snapshot_list", {{"workspace_id", id}})["count"], 2);
  fails(
      "shell_read", {{"workspace_id", id}, {"shell_id", shell}}, ErrorCode::invalid_argument,
      "does not exist");
  EXPECT_EQ(call("workspace_diff", {{"workspace_id", id}})["changed"], false);
  EXPECT_EQ(output(id, "cat seeded"), "seed\n");
  expect_no_mess(*this, id);
  EXPECT_NE(status(*this, id)["sandbox_pid"], before["sandbox_pid"]) << "recreated, not repaired";
}

TEST_P(ContractSandbox, reset_named) {
  const auto id = create_id({{"seed_path", tree("seed", {{"seeded", "seed\n"}}).string()}});
  output(id, "echo point > point; echo tool > /usr/bin/tool");
  take(*this, id, "point");
  make_a_mess(*this, id);
  const auto after = reset(*this, id, "point");
  EXPECT_EQ(after["workspace_reset"]["snapshot_name"], "point");
  EXPECT_EQ(after["reset_count"], 1);
  EXPECT_EQ(after["command_count"], 0);
  EXPECT_EQ(output(id, "cat seeded point /usr/bin/tool"), "seed\npoint\ntool\n");
  expect_no_mess(*this, id);
  const auto diff = call("workspace_diff", {{"workspace_id", id}});
  ASSERT_EQ(diff["entries"].size(), 1U) << "still against the baseline: " << diff["entries"].dump();
  EXPECT_EQ(diff["entries"][0]["path"], "point");

  output(id, "echo untouched > file");
  fails(
      "workspace_reset", {{"workspace_id", id}, {"snapshot", "nowhere"}}, ErrorCode::invalid_argument,
      "does not exist");
  EXPECT_EQ(output(id, "cat file"), "untouched\n") << "a reset to nowhere does nothing";
  EXPECT_EQ(status(*this, id)["reset_count"], 1);
}

TEST_P(ContractAnyImage, reset_round_trip) {
  const auto id = create_id({{"seed_path", tree("seed", {{"note", "seed\n"}}).string()}});
  output(id, "echo checkpoint > note");
  take(*this, id, "checkpoint");
  output(id, "echo after > note");
  const auto service = call(
      "service_start", {{"workspace_id", id}, {"service_name", "clock"}, {"command", "exec sleep 1000"}});
  EXPECT_EQ(service["state"], "running");
  EXPECT_EQ(status(*this, id)["running_service_count"], 1);
  reset(*this, id, "checkpoint");
  const auto now = status(*this, id);
  EXPECT_EQ(now["command_count"], 0);
  EXPECT_EQ(now["service_count"], 0);
  EXPECT_EQ(now["running_service_count"], 0);
  EXPECT_EQ(call("service_list", {{"workspace_id", id}})["count"], 0);
  EXPECT_EQ(output(id, "cat note"), "checkpoint\n");
  reopen();
  reset(*this, id);
  EXPECT_EQ(status(*this, id)["reset_count"], 2);
  EXPECT_EQ(output(id, "cat note"), "seed\n");
  EXPECT_EQ(call("workspace_diff", {{"workspace_id", id}})["changed"], false);
  reset(*this, id, "checkpoint");
  EXPECT_EQ(output(id, "cat note"), "checkpoint\n") << "a reset to the baseline keeps the snapshots";
}

TEST_P(ContractContent, reset_stopped) {
  const auto id = create_id();
  output(id, "echo 1 > file");
  call("workspace_stop", {{"workspace_id", id}});
  const auto after = reset(*this, id);
  EXPECT_EQ(after["state"], "started");
  EXPECT_EQ(output(id, "ls"), "");
}

TEST_P(ContractContent, reset_stopped__killed) {
  const auto id = create_id();
  output(id, "echo 1 > file");
  ASSERT_EQ(::kill(status(*this, id)["supervisor_pid"].get<pid_t>(), SIGKILL), 0);
  EXPECT_EQ(reset(*this, id)["state"], "started");
  EXPECT_EQ(output(id, "ls"), "");
}

TEST_P(ContractAnyImage, reset_failure) {
  const auto id = create_id();
  output(id, "echo named > file");
  take(*this, id, "named");
  output(id, "echo after > file");
  const auto snapshots = call("snapshot_list", {{"workspace_id", id}});
  // The layer that the snapshot has above the baseline is gone.
  const auto records = base() / "workspaces" / id;
  const auto layers = Json::parse(testing::read_file(records / "snapshots" / "named.json"))["layers"];
  const auto layer = base() / "store" / "layers" / layers.back().get<std::string>();
  fs::rename(layer, root() / "aside");
  EXPECT_THROW(reset(*this, id, "named"), Error);
  // Found before anything is done (docs/decisions/0053), so nothing has to be stopped for it.
  EXPECT_EQ(status(*this, id)["state"], "started");
  EXPECT_EQ(status(*this, id)["reset_count"], 0);
  EXPECT_EQ(output(id, "cat file"), "after\n");
  EXPECT_EQ(call("snapshot_list", {{"workspace_id", id}}), snapshots);

  fs::rename(root() / "aside", layer);
  EXPECT_EQ(reset(*this, id, "named")["reset_count"], 1) << "a second reset works";
  EXPECT_EQ(output(id, "cat file"), "named\n");
}

TEST_P(ContractContent, reset_failure__no_agent) {
  const auto id = create_id();
  output(id, "echo before > file");
  const auto snapshots = call("snapshot_list", {{"workspace_id", id}});
  auto broken = settings();
  broken.agent_path = (root() / "nothing").string();
  reopen();
  EXPECT_THROW(operations::make_engine(broken, {})->call("workspace_reset", {{"workspace_id", id}}), Error);
  expect_failed_cleanly(*this, id, snapshots);

  call("workspace_start", {{"workspace_id", id}});
  EXPECT_EQ(output(id, "cat file"), "before\n") << "the content is as it was before";
  EXPECT_EQ(reset(*this, id)["reset_count"], 1);
  EXPECT_EQ(output(id, "ls"), "");
}

} // namespace
} // namespace pyro::contract
