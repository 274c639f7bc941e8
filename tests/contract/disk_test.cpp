// What lies on disk: readable records with a version, at places that other programs may rely on.
#include "contract.hpp"

#include <pyro/base/json_access.hpp>

#include <sys/stat.h>

namespace pyro::contract {
namespace {

fs::path directory_of(const Contract& test, const std::string& id) {
  return test.base() / "workspaces" / id;
}

Json record_of(const Contract& test, const std::string& id) {
  return Json::parse(testing::read_file(directory_of(test, id) / "workspace.json"));
}

mode_t mode_of(const fs::path& path) {
  struct stat status {};

  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
}

TEST_P(ContractSandbox, disk_layout) {
  const auto id = create_id();
  output(id, "echo 1 > file");
  call("snapshot_create", {{"workspace_id", id}, {"snapshot_name", "one"}});
  call("shell_open", {{"workspace_id", id}});
  call("service_start", {{"workspace_id", id}, {"service_name", "clock"}, {"command", "exec sleep 1000"}});
  const auto directory = directory_of(*this, id);
  EXPECT_TRUE(fs::is_regular_file(directory / "workspace.json"));
  for (const auto* name : {"baseline", "snapshots", "commands", "shells", "services", "runtime"}) {
    EXPECT_TRUE(fs::is_directory(directory / name)) << name;
    EXPECT_EQ(mode_of(directory / name), 0700) << name;
  }
  EXPECT_TRUE(fs::is_regular_file(directory / "baseline" / "baseline.json"));
  EXPECT_TRUE(fs::is_regular_file(directory / "snapshots" / "one.json"));
  EXPECT_TRUE(fs::is_regular_file(directory / "services" / "clock.json"));
  EXPECT_FALSE(fs::is_empty(directory / "commands"));
  EXPECT_EQ(mode_of(base()), 0700);
  EXPECT_EQ(mode_of(directory), 0700);
  EXPECT_EQ(mode_of(directory / "workspace.json"), 0600);
  // Layers are shared: a second workspace of the same environment needs no more of them.
  const auto layers = [&] {
    const fs::directory_iterator all(base() / "store" / "layers");
    return std::distance(begin(all), end(all));
  };
  const auto before = layers();
  EXPECT_GT(before, 0);
  create_id();
  EXPECT_EQ(layers(), before);
}

TEST_P(ContractSandbox, disk_record) {
  const auto id = create_id();
  output(id, "echo 1 > file");
  call("snapshot_create", {{"workspace_id", id}, {"snapshot_name", "one"}});
  const auto record = record_of(*this, id);
  EXPECT_EQ(record["state"], "started");
  EXPECT_TRUE(record["expires_at"].is_number_float());
  EXPECT_FALSE(record["execution_mode"].get<std::string>().empty());
  EXPECT_TRUE(fs::exists("/proc/" + record["sandbox_pid"].dump())) << record["sandbox_pid"].dump();
  EXPECT_TRUE(record["last_error"].is_null());
  EXPECT_EQ(record["reset_count"], 0);
  EXPECT_GE(record["layout_version"], 1);
  const auto directory = directory_of(*this, id);
  std::vector<fs::path> records{directory / "workspace.json"};
  for (const auto* folder : {"baseline", "snapshots"}) {
    for (const auto& entry : fs::directory_iterator(directory / folder)) {
      records.push_back(entry.path());
    }
  }
  EXPECT_EQ(records.size(), 3U) << "a temporary file was left";
  for (const auto& path : records) {
    const auto text = testing::read_file(path);
    const auto value = Json::parse(text);
    EXPECT_EQ(text, value.dump(2) + "\n") << path << ": two spaces, sorted keys";
    EXPECT_GE(value["layout_version"], 1) << path;
  }
  call("workspace_stop", {{"workspace_id", id}});
  const auto stopped = record_of(*this, id);
  EXPECT_EQ(stopped["state"], "stopped");
  EXPECT_TRUE(stopped["sandbox_pid"].is_null());
}

TEST_P(ContractSandbox, disk_version) {
  const auto id = create_id();
  const auto path = directory_of(*this, id) / "workspace.json";
  const auto sound = testing::read_file(path);
  auto newer = Json::parse(sound);
  newer["layout_version"] = newer["layout_version"].get<int>() + 1;
  const auto text = newer.dump(2) + "\n";
  testing::write_file(path, text);
  for (const auto* operation :
       {"workspace_status", "workspace_reset", "workspace_stop", "workspace_delete"}) {
    fails(operation, {{"workspace_id", id}}, ErrorCode::bad_state, "layout version");
  }
  EXPECT_EQ(testing::read_file(path), text) << "it was changed all the same";
  testing::write_file(path, sound);
  EXPECT_EQ(output(id, "echo alive"), "alive\n");
}

TEST_P(ContractSandbox, disk_version__older) {
  const auto id = create_id();
  output(id, "echo 1 > file");
  // As version 1 had it: most of the state under "metadata", the baseline's record among those of named
  // snapshots.
  const auto directory = directory_of(*this, id);
  auto record = record_of(*this, id);
  record["layout_version"] = 1;
  record["metadata"] = {
      {"execution_mode", record["execution_mode"]},
      {"project_file", ""},
      {"pids", record["limits"]["pids"]},
      {"disk_bytes", record["limits"]["disk_bytes"]},
      {"ttl_ms", record["lifecycle"]["ttl_ms"]}};
  record["base_key"] = record["base"]["key"];
  record["network"] = {{"egress", record["egress"]}};
  record["vcpu_count"] = record["limits"]["vcpu_count"];
  record["mem_mib"] = record["limits"]["mem_mib"];
  for (const auto* newer : {"limits", "lifecycle", "base", "egress", "ports", "seed", "execution_mode"}) {
    record.erase(newer);
  }
  testing::write_file(directory / "workspace.json", record.dump(2) + "\n");
  fs::rename(directory / "baseline" / "baseline.json", directory / "snapshots" / "baseline.json");
  reopen();
  EXPECT_EQ(call("workspace_diff", {{"workspace_id", id}})["summary"]["total"], 1);
  EXPECT_EQ(call("snapshot_list", {{"workspace_id", id}})["count"], 1);
  call("workspace_reset", {{"workspace_id", id}});
  EXPECT_EQ(output(id, "ls"), "");
  EXPECT_GT(record_of(*this, id)["layout_version"], 1);
  EXPECT_TRUE(fs::exists(directory / "baseline" / "baseline.json"));
  EXPECT_FALSE(fs::exists(directory / "snapshots" / "baseline.json"));
}

} // namespace
} // namespace pyro::contract
