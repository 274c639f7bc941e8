// Records as layout version 2 left them: version_2/ holds some that a pyro of that time wrote (paths and boot
// ids apart).
#include "../../support/files.hpp"

#include <pyro/base/error.hpp>
#include <pyro/store/records.hpp>

#include <gtest/gtest.h>

namespace pyro::store::test {

namespace {

Json of_version_2(const std::string& name) {
  const auto folder = pyro::testing::source_dir() / "tests/unit/store/version_2";
  return parse_json(pyro::testing::read_file(folder / (name + ".json")), name);
}

/// Read, written and read again.
WorkspaceRecord migrated(const Json& old) {
  const auto record = workspace_from_json(old);
  EXPECT_EQ(record.layout_version, 2);
  const auto written = to_json(record);
  EXPECT_EQ(written.at("layout_version"), k_layout_version);
  EXPECT_FALSE(written.contains("metadata"));
  const auto again = workspace_from_json(written);
  EXPECT_EQ(to_json(again), written);
  return again;
}

std::vector<HexDigest> layers_at(const Json& value, const char* key) {
  return layers_from_json(value, key);
}

/// What version 2 and ours write under the same name.
void expect_same(const Json& old, const WorkspaceRecord& record) {
  const auto written = to_json(record);
  for (const auto* key :
       {"workspace_id", "revision",      "name",        "labels",           "checkout",
        "identity_key", "spec",          "links",       "spec_generation",  "state",
        "environment",  "backend",       "isolation",   "supervisor",       "sandbox_pid",
        "last_error",   "generation",    "layers",      "host_directories", "secrets",
        "user",         "workdir",       "env",         "created_at",       "last_activity_at",
        "expires_at",   "command_count", "reset_count", "last_reset_at"}) {
    EXPECT_EQ(written.at(key), old.at(key)) << key;
  }
  EXPECT_EQ(record.limits.vcpu_count, old.at("vcpu_count"));
  EXPECT_EQ(record.limits.mem_mib, old.at("mem_mib"));
  EXPECT_EQ(record.egress, old.at("network").at("egress"));
  EXPECT_EQ(record.execution_mode, old.at("metadata").at("execution_mode"));
}

} // namespace

TEST(RecordsOfVersion2, OfAnAppliedWorkspaceThatWasSyncedAndReset) {
  const auto old = of_version_2("applied");
  const auto& metadata = old.at("metadata");
  const auto record = migrated(old);
  expect_same(old, record);
  EXPECT_FALSE(record.vm);
  EXPECT_FALSE(record.maker);
  EXPECT_FALSE(record.destroyed_at);
  EXPECT_FALSE(record.starting);
  EXPECT_EQ(record.project_file, "/srv/shop/pyro.yaml");
  EXPECT_EQ(record.services_file, "");
  EXPECT_EQ(record.limits.pids, 300);
  EXPECT_EQ(record.limits.disk_bytes, std::int64_t{2} << 30);
  EXPECT_EQ(record.lifecycle.ttl_ms, 28'800'000);
  EXPECT_EQ(record.lifecycle.idle_ms, 7'200'000);
  EXPECT_EQ(record.lifecycle.undo_ms, 21'600'000) << "reset.undo of its file";
  EXPECT_FALSE(record.lifecycle.destroy_when_idle);
  EXPECT_TRUE(record.lifecycle.destroy_when_expired);
  EXPECT_EQ(record.ports, (std::vector<PublishedPort>{{"web", 8080, 45603}}));
  EXPECT_EQ(record.notes, std::vector<std::string>{});
  EXPECT_EQ(record.seed.mode, "directory");
  EXPECT_EQ(record.seed.path, "/srv/shop");

  const auto& base = metadata.at("base");
  EXPECT_EQ(
      record.base,
      (ContentBase{
          old.at("base_key"), "clean", layers_at(base, "layers"),
          SyncedSeed{
              layers_at(base, "below"), layers_at(base, "first_seed"), layers_at(base, "last_seed")}}));
  EXPECT_FALSE(record.synced_baseline);
  const auto& before = metadata.at("undo_base");
  ASSERT_TRUE(record.undo);
  EXPECT_EQ(record.undo->generation, 1);
  EXPECT_EQ(record.undo->reason, "reset to clean");
  EXPECT_EQ(record.undo->layers, layers_at(old.at("undo"), "layers"));
  EXPECT_EQ(record.undo->host_directories, record.host_directories);
  EXPECT_EQ(record.undo->made_at, old.at("undo").at("made_at"));
  EXPECT_EQ(record.undo->expires_at, old.at("undo").at("expires_at"));
  EXPECT_EQ(
      record.undo->base,
      (ContentBase{
          metadata.at("undo_base_key"), "", layers_at(before, "layers"),
          SyncedSeed{
              layers_at(before, "below"), layers_at(before, "first_seed"), layers_at(before, "last_seed")}}));
}

TEST(RecordsOfVersion2, OfADestroyedWorkspace) {
  const auto old = of_version_2("destroyed");
  const auto& metadata = old.at("metadata");
  const auto record = migrated(old);
  expect_same(old, record);
  EXPECT_EQ(record.destroyed_at, metadata.at("destroyed_at").get<double>());
  EXPECT_EQ(record.ports, std::vector<PublishedPort>{}) << "null stood for none";
  EXPECT_EQ(record.lifecycle.undo_ms, Lifecycle::k_undo_ms);
  const auto& baseline = metadata.at("baseline");
  EXPECT_EQ(
      record.synced_baseline,
      (SyncedBaseline{
          layers_at(baseline, "layers"), layers_at(baseline, "below"), layers_at(baseline, "first_seed")}));
  EXPECT_EQ(record.base.key, old.at("base_key"));
  ASSERT_TRUE(record.undo);
  EXPECT_EQ(record.undo->base, record.base) << "what was destroyed is what it was made from last";
}

TEST(RecordsOfVersion2, OfAFork) {
  const auto old = of_version_2("fork");
  const auto record = migrated(old);
  expect_same(old, record);
  EXPECT_EQ(record.project_file, "");
  EXPECT_EQ(record.services_file, "/srv/shop/pyro.yaml");
  EXPECT_EQ(record.lifecycle.ttl_ms, 28'800'000);
  EXPECT_EQ(record.lifecycle.idle_ms, 0);
  EXPECT_EQ(record.ports, (std::vector<PublishedPort>{{"web", 8080, 39625}}));
  EXPECT_FALSE(record.base.layers);
  EXPECT_FALSE(record.undo);
}

TEST(RecordsOfVersion2, OfAVm) {
  auto old = of_version_2("vm");
  const auto record = migrated(old);
  expect_same(old, record);
  ASSERT_TRUE(record.vm);
  EXPECT_EQ(record.vm->wanted_backend, "auto");
  EXPECT_EQ(record.vm->network_policy, "egress");
  EXPECT_FALSE(record.vm->allow_host_compat);
  EXPECT_EQ(record.lifecycle.ttl_ms, 600'000);
  EXPECT_EQ(record.limits.pids, 1024);
  EXPECT_EQ(record.limits.disk_bytes, 0) << "the default";
  EXPECT_EQ(record.seed.mode, "");

  auto& metadata = old["metadata"]; // as one that was just being made, or started, has it
  metadata["maker"] = {{"pid", 7}, {"start_time", 8}, {"boot_id", "b"}};
  metadata["starting"] = true;
  metadata["allow_host_compat"] = true;
  metadata["notes"] = {"no cgroup limits"};
  const auto busy = migrated(old);
  EXPECT_EQ(busy.maker, (os::ProcessId{7, 8, "b"}));
  EXPECT_TRUE(busy.starting);
  EXPECT_TRUE(busy.vm->allow_host_compat);
  EXPECT_EQ(busy.notes, std::vector<std::string>{"no cgroup limits"});
}

TEST(RecordsOfVersion2, DamagedOnesAreToldOf) {
  const auto expect_damage = [](const std::function<void(Json&)>& damage) {
    auto old = of_version_2("applied");
    damage(old);
    try {
      std::ignore = workspace_from_json(old);
      ADD_FAILURE() << "it was read: " << old.at("metadata");
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::protocol) << error.what();
    }
  };
  expect_damage([](Json& old) { old.erase("metadata"); });
  expect_damage([](Json& old) { old["metadata"] = "text"; });
  expect_damage([](Json& old) { old["metadata"]["pids"] = "many"; });
  expect_damage([](Json& old) { old["metadata"]["base"]["layers"] = {"no digest"}; });
  expect_damage([](Json& old) { old["metadata"]["base"].erase("below"); });
  expect_damage([](Json& old) { old["metadata"]["ports"] = {{"web", 1}}; });
  expect_damage([](Json& old) { old["metadata"]["maker"] = {{"pid", 1}}; });
  expect_damage([](Json& old) { old["metadata"]["destroyed_at"] = "today"; });
}

} // namespace pyro::store::test
