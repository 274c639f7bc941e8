#include "tree_support.hpp"

#include <pyro/base/error.hpp>
#include <pyro/store/journal.hpp>
#include <pyro/store/recipes.hpp>
#include <pyro/store/records.hpp>

#include <gtest/gtest.h>

#include <cstdio>
#include <unistd.h>

namespace pyro::store::test {

namespace {

ErrorCode code_of(const std::function<void()>& work, const std::string& fragment = {}) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(fragment), std::string::npos) << error.what();
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorCode::internal;
}

class RecordsTest : public ::testing::Test {
protected:
  RecordsTest() {
    m_base.prepare();
    WorkspacePaths(m_base, "w1").create();
  }

  WorkspaceRecord sample() const {
    WorkspaceRecord record;
    record.id = "w1";
    record.name = "demo";
    record.labels = {{"team", "x"}};
    record.spec = {{"a", 1}};
    record.environment = "debian:12";
    record.backend = "namespaces";
    record.execution_mode = "sandbox";
    record.layers = {digest};
    record.host_directories = {{"/usr", "usr"}};
    record.supervisor = os::ProcessId{12, 34, "boot"};
    record.undo = UndoEntry{3, {digest}, {}, {"key", "clean", {{digest}}, {}}, 1.5, "reset", 2.5};
    record.generation = 4;
    record.vm = OneShotVm{"qemu", "egress", true};
    record.starting = true;
    record.maker = os::ProcessId{56, 78, "boot"};
    record.destroyed_at = 3.5;
    record.notes = {"a note"};
    record.base = {"key", "ready", {{digest}}, SyncedSeed{{digest}, {}, {digest, digest}}};
    record.synced_baseline = SyncedBaseline{{digest}, {}, {digest}};
    record.seed = {"directory", "/src"};
    record.egress = "all";
    record.ports = {{"web", 80, 40000}};
    record.limits = {2, 512, 100, 1 << 30};
    record.lifecycle = {1, 2, 3, true, true};
    record.project_file = "/src/pyro.yaml";
    record.services_file = "/other/pyro.yaml";
    record.expires_at = 12345.5;
    record.secrets = {"TOKEN"};
    record.env = {{"K", "V"}};
    return record;
  }

  Scratch scratch;
  Base m_base{scratch / "base"};
  WorkspaceRecords records{m_base};
  std::string digest = std::string(64, 'a');
};

} // namespace

TEST_F(RecordsTest, RoundTrip) {
  WorkspaceRecord record = sample();
  records.save(record);
  EXPECT_EQ(record.revision, 1);
  const WorkspaceRecord loaded = records.load("w1");
  EXPECT_EQ(to_json(loaded), to_json(record));
  EXPECT_EQ(loaded.undo->generation, 3);
  EXPECT_EQ(loaded.undo->base, record.undo->base);
  EXPECT_EQ(loaded.vm->network_policy, "egress");
  EXPECT_EQ(loaded.maker, record.maker);
  EXPECT_EQ(loaded.destroyed_at, 3.5);
  EXPECT_EQ(loaded.base, record.base);
  EXPECT_EQ(loaded.synced_baseline, record.synced_baseline);
  EXPECT_EQ(loaded.ports, record.ports);
  EXPECT_EQ(loaded.supervisor, record.supervisor);
  const Json json = to_json(loaded);
  EXPECT_EQ(json.at("execution_mode"), "sandbox");
  EXPECT_EQ(json.at("expires_at"), 12345.5);
  EXPECT_TRUE(json.at("sandbox_pid").is_null());
  EXPECT_EQ(json.at("state"), "created");
}

TEST_F(RecordsTest, SaveComparesAndSwaps) {
  WorkspaceRecord one = sample();
  records.save(one);
  WorkspaceRecord other = records.load("w1");
  other.name = "other";
  records.save(other);
  EXPECT_EQ(code_of([&] { records.save(one); }), ErrorCode::stale);
  EXPECT_EQ(records.load("w1").name, "other");
  WorkspaceRecord again = sample();
  EXPECT_EQ(code_of([&] { records.save(again); }), ErrorCode::already_exists);
  unlink(WorkspacePaths(m_base, "w1").record().c_str());
  EXPECT_EQ(code_of([&] { records.save(other); }, "does not exist"), ErrorCode::invalid_argument);
}

TEST_F(RecordsTest, UnknownAndDamagedAndNewer) {
  EXPECT_EQ(code_of([&] { records.load("nope"); }, "does not exist"), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of([&] { records.load("../x"); }, "does not exist"), ErrorCode::invalid_argument);
  const std::string path = WorkspacePaths(m_base, "w1").record();
  write(path, "{\"layout_version\": 1}");
  EXPECT_EQ(code_of([&] { records.load("w1"); }), ErrorCode::protocol);
  std::vector<std::string> damaged;
  EXPECT_TRUE(records.list(&damaged).empty());
  EXPECT_EQ(damaged, std::vector<std::string>{"w1"});
  Json newer = to_json(sample());
  newer["layout_version"] = k_layout_version + 1;
  write(path, newer.dump());
  EXPECT_EQ(code_of([&] { records.load("w1"); }), ErrorCode::bad_state);
  Json foreign = to_json(sample());
  foreign["workspace_id"] = "w2";
  write(path, foreign.dump());
  EXPECT_EQ(code_of([&] { records.load("w1"); }), ErrorCode::protocol);
  Json future = to_json(sample());
  future["some_future_field"] = 1;
  write(path, future.dump());
  EXPECT_FALSE(to_json(records.load("w1")).contains("some_future_field"));
}

TEST_F(RecordsTest, ListIsByLatestActivity) {
  WorkspacePaths(m_base, "w2").create();
  WorkspaceRecord one = sample();
  one.last_activity_at = 1;
  records.save(one);
  WorkspaceRecord two = sample();
  two.id = "w2";
  two.last_activity_at = 2;
  records.save(two);
  const auto list = records.list();
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].id, "w2");
}

TEST_F(RecordsTest, Snapshots) {
  EXPECT_EQ(code_of([&] { records.snapshots("w1"); }, "requires a baseline snapshot"), ErrorCode::bad_state);
  SnapshotRecord baseline;
  baseline.name = "baseline";
  baseline.kind = SnapshotKind::baseline;
  baseline.layers = {digest};
  records.save_snapshot("w1", baseline);
  for (const char* name : {"zeta", "alpha"}) {
    SnapshotRecord named;
    named.name = name;
    named.layers = {digest, std::string(64, 'b')};
    named.parent = "baseline";
    records.save_snapshot("w1", named);
  }
  const auto list = records.snapshots("w1");
  ASSERT_EQ(list.size(), 3U);
  EXPECT_EQ(list[0].name, "baseline");
  EXPECT_EQ(list[1].name, "zeta") << "in order of creation";
  EXPECT_EQ(list[2].name, "alpha");
  EXPECT_EQ(list[1].digest, list[2].digest);
  EXPECT_TRUE(records.has_snapshot("w1", "zeta"));
  records.remove_snapshot("w1", "zeta");
  EXPECT_FALSE(records.has_snapshot("w1", "zeta"));
  EXPECT_EQ(
      code_of([&] { records.remove_snapshot("w1", "zeta"); }, "does not exist"), ErrorCode::invalid_argument);
  EXPECT_EQ(
      code_of([&] { records.remove_snapshot("w1", "baseline"); }, "cannot delete the baseline snapshot"),
      ErrorCode::invalid_argument);
  write(WorkspacePaths(m_base, "w1").snapshot("baseline"), "{}");
  EXPECT_EQ(
      code_of([&] { records.snapshot("w1", "baseline"); }, "requires a baseline snapshot"),
      ErrorCode::bad_state);
  Json forged = to_json(list[0]);
  forged["layers"] = {std::string(64, 'c')};
  write(WorkspacePaths(m_base, "w1").snapshot("baseline"), forged.dump());
  EXPECT_EQ(code_of([&] { records.snapshots("w1"); }, "requires a baseline snapshot"), ErrorCode::bad_state);
}

TEST_F(RecordsTest, ARecordThatIsJustBeingWrittenIsNoneYet) {
  const auto half = WorkspacePaths(m_base, "w1").baseline() + "/.tmp-0123";
  os::write_file_atomically(half, "{", 0600, os::Durable::no);
  EXPECT_FALSE(records.has_snapshots("w1"));
}

TEST_F(RecordsTest, WhatStoodOnARemovedSnapshotStandsOnItsParent) {
  for (const auto& [name, parent] : {std::pair{"baseline", ""}, {"a", "baseline"}, {"b", "a"}, {"c", "b"}}) {
    SnapshotRecord record;
    record.name = name;
    record.kind = *parent == '\0' ? SnapshotKind::baseline : SnapshotKind::named;
    record.layers = {digest};
    record.parent = parent;
    records.save_snapshot("w1", record);
  }
  records.remove_snapshot("w1", "b");
  EXPECT_EQ(records.snapshot("w1", "c").parent, "a");
  records.remove_snapshot("w1", "a");
  EXPECT_EQ(records.snapshot("w1", "c").parent, "baseline");
  write(WorkspacePaths(m_base, "w1").snapshot("c"), "{");
  records.remove_snapshot("w1", "c");
  EXPECT_EQ(records.snapshots("w1").size(), 1U) << "a damaged one can be removed";
}

TEST_F(RecordsTest, VersionOneHadTheBaselineAmongTheOthers) {
  const WorkspacePaths paths(m_base, "w1");
  WorkspaceRecord workspace = sample();
  records.save(workspace);
  SnapshotRecord baseline;
  baseline.name = "baseline";
  baseline.kind = SnapshotKind::baseline;
  baseline.layers = {digest};
  records.save_snapshot("w1", baseline);
  EXPECT_TRUE(os::exists(paths.baseline() + "/baseline.json"));
  // as version 1 left it
  ASSERT_EQ(std::rename(paths.snapshot("baseline").c_str(), paths.baseline_of_version_1().c_str()), 0);
  Json old = {
      {"layout_version", 1},
      {"workspace_id", "w1"},
      {"revision", 1},
      {"state", "created"},
      {"environment", "host"},
      {"backend", ""},
      {"metadata", Json::object()},
      {"generation", 0},
      {"layers", {digest}},
      {"host_directories", Json::array()},
      {"links", Json::array()},
      {"created_at", 1.5},
      {"last_activity_at", 1.5}};
  write(paths.record(), old.dump());

  EXPECT_EQ(records.snapshots("w1").size(), 1U) << "it can be read before it is migrated";
  EXPECT_TRUE(records.has_snapshot("w1", "baseline"));
  WorkspaceRecord loaded = records.load("w1");
  EXPECT_EQ(loaded.layout_version, 1);
  for (int round = 0; round < 2; ++round) { // killed before the record was saved: once more
    migrate_workspace(paths, loaded.layout_version);
    EXPECT_TRUE(os::exists(paths.baseline() + "/baseline.json"));
    EXPECT_FALSE(os::exists(paths.baseline_of_version_1()));
  }
  records.save(loaded);
  EXPECT_EQ(records.load("w1").layout_version, k_layout_version);
  EXPECT_EQ(records.snapshots("w1").size(), 1U);
}

TEST_F(RecordsTest, JournalSurvivesItsWriter) {
  const std::string path = WorkspacePaths(m_base, "w1").journal();
  EXPECT_FALSE(Journal::pending(path));
  {
    Journal journal = Journal::begin(path, "reset", {{"to", "baseline"}});
    journal.step("stopped");
    journal.step("new generation", {{"number", 5}});
  } // as if killed: neither committed nor taken back
  auto pending = Journal::pending(path);
  ASSERT_TRUE(pending);
  EXPECT_EQ(pending->operation, "reset");
  EXPECT_EQ(pending->intent.at("to"), "baseline");
  EXPECT_TRUE(pending->has("stopped"));
  EXPECT_FALSE(pending->has("started"));
  EXPECT_EQ(pending->steps[1].data.at("number"), 5);
  EXPECT_EQ(pending->holder.pid, getpid());
  EXPECT_EQ(code_of([&] { Journal::begin(path, "exec", {}); }), ErrorCode::bad_state);
  Journal resumed = Journal::resume(path, *pending);
  resumed.step("started");
  EXPECT_EQ(Journal::pending(path)->steps.size(), 3U);
  resumed.commit();
  EXPECT_FALSE(Journal::pending(path));
  write(path, "not json");
  EXPECT_EQ(code_of([&] { Journal::pending(path); }), ErrorCode::protocol);
}

TEST_F(RecordsTest, RecipesAreACache) {
  const LayerStore layers(m_base);
  const RecipeCache cache(layers);
  Staging staging = layers.stage();
  write(staging.tree() + "/f", "x");
  const auto layer = layers.publish(std::move(staging), {"step", ""}, os::Durable::no);
  RecipeRecord record;
  record.key = std::string(64, '1');
  record.layers = {layer.digest};
  record.host_directories = {{"/usr", "usr"}};
  record.address = "setup[0]";
  record.last_used = 1000.5;
  EXPECT_FALSE(cache.find(record.key));
  cache.save(record);
  EXPECT_DOUBLE_EQ(cache.find(record.key, Touch::no)->last_used, 1000.5);
  EXPECT_GT(cache.find(record.key)->last_used, 1e9);
  EXPECT_GT(cache.find(record.key, Touch::no)->last_used, 1e9) << "the use was noted";
  EXPECT_EQ(cache.find(record.key)->host_directories, record.host_directories);
  EXPECT_EQ(cache.list().size(), 1U);

  layers.remove(layer.digest);
  EXPECT_FALSE(cache.find(record.key)) << "its layer is gone";
  write(m_base.recipes() + "/" + record.key + ".json", "{\"layout");
  EXPECT_FALSE(cache.find(record.key)) << "damaged";
  std::vector<std::string> damaged;
  EXPECT_TRUE(cache.list(&damaged).empty());
  EXPECT_EQ(damaged.size(), 1U);
  EXPECT_EQ(code_of([&] { cache.find("../x"); }), ErrorCode::invalid_argument);
}

TEST_F(RecordsTest, ARecipeThatSomebodyReplacesIsReadAgain) {
  const LayerStore layers(m_base);
  const RecipeCache cache(layers);
  const RecipeCache of_somebody{LayerStore(m_base)};
  RecipeRecord record;
  record.key = std::string(64, '1');
  for (const std::string text : {"one", "other"}) {
    Staging staging = layers.stage();
    write(staging.tree() + "/f", text);
    record.layers = {layers.publish(std::move(staging), {"step", ""}, os::Durable::no).digest};
    of_somebody.save(record);
    EXPECT_EQ(cache.find(record.key, Touch::no)->layers, record.layers);
  }
  of_somebody.remove(record.key);
  EXPECT_FALSE(cache.find(record.key, Touch::no));
}

} // namespace pyro::store::test
