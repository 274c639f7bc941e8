#include "gc_fixture.hpp"

#include <pyro/store/caches.hpp>
#include <pyro/store/journal.hpp>

#include <sys/stat.h>

#include <fcntl.h>
#include <filesystem>

namespace pyro::store::test {

TEST_F(GcTest, CachesGoWithTheirCheckout) {
  make_directory(scratch / "here");
  make_directory(scratch / "gone");
  const auto here = cache_directory(m_base, {scratch / "here", "debian:12", "/c"});
  const auto gone = cache_directory(m_base, {scratch / "gone", "debian:12", "/c"});
  const auto shared = cache_directory(m_base, {"", "debian:12", "/c"});
  EXPECT_EQ(std::set({here, gone, shared}).size(), 3U) << "equal paths of different owners";
  EXPECT_EQ(here, cache_directory(m_base, {scratch / "here", "debian:12", "/c"}));
  for (const auto& path : {here, gone, shared}) {
    write(path + "/f", "content");
  }
  const std::string old = m_base.caches() + "/0123456789abcdef0123456789abcdef"; // as pyro had them before
  write(old + "/f", "content");
  make_directory(m_base.caches() + "/checkout-00");
  os::remove_tree(scratch / "gone");

  const auto name_of_gone = gone.substr(m_base.caches().size() + 1, std::string("checkout-").size() + 32);
  const std::set<std::string> stale{
      "cache 0123456789abcdef0123456789abcdef", "cache checkout-00", "cache " + name_of_gone};
  options.dry_run = true;
  EXPECT_EQ(collect(), stale);
  EXPECT_TRUE(os::exists(old + "/f"));
  options.dry_run = false;
  EXPECT_EQ(collect(), stale);
  EXPECT_TRUE(os::exists(here + "/f"));
  EXPECT_TRUE(os::exists(shared + "/f"));
  EXPECT_FALSE(os::exists(gone));
  EXPECT_FALSE(os::exists(old));
  EXPECT_TRUE(collect().empty());
  EXPECT_TRUE(os::list_directory(m_base.staging()).empty());
}

TEST_F(GcTest, KeepsWhatIsReferredTo) {
  const HexDigest by_workspace = layer("1");
  const HexDigest by_undo = layer("2");
  const HexDigest by_snapshot = layer("3");
  const HexDigest by_recipe = layer("4");
  const HexDigest by_nobody = layer("55");
  WorkspacePaths(m_base, "w").create();
  WorkspaceRecord record;
  record.id = "w";
  record.layers = {by_workspace};
  record.undo = UndoEntry{1, {by_undo}, {}, {}, 0, "reset", 0};
  records.save(record, os::Durable::no);
  SnapshotRecord baseline;
  baseline.name = "baseline";
  baseline.kind = SnapshotKind::baseline;
  baseline.layers = {by_snapshot};
  records.save_snapshot("w", baseline, os::Durable::no);
  recipe("k", by_recipe, 0);

  options.dry_run = true;
  EXPECT_EQ(collect(), std::set<std::string>{"layer " + by_nobody});
  EXPECT_EQ(layers.list().size(), 5U) << "a dry run removes nothing";
  options.dry_run = false;
  EXPECT_EQ(collect(), std::set<std::string>{"layer " + by_nobody});
  EXPECT_EQ(report.bytes, 2U);
  EXPECT_EQ(layers.list().size(), 4U);
  EXPECT_FALSE(layers.find(by_nobody));
  EXPECT_TRUE(os::list_directory(m_base.staging()).empty());
  EXPECT_TRUE(collect().empty());
}

TEST_F(GcTest, KeepsWhatTheContentWasMadeFrom) {
  std::vector<HexDigest> used;
  const auto next = [&] {
    used.push_back(layer(std::to_string(used.size())));
    return std::vector<HexDigest>{used.back()};
  };
  const auto base = [&] {
    return ContentBase{"", "", next(), SyncedSeed{next(), next(), next()}};
  };
  WorkspacePaths(m_base, "w").create();
  WorkspaceRecord record;
  record.id = "w";
  record.base = base();
  record.synced_baseline = SyncedBaseline{next(), next(), next()};
  record.undo = UndoEntry{1, {}, {}, base(), 0, "reset", 0};
  records.save(record, os::Durable::no);
  EXPECT_TRUE(collect().empty());
  EXPECT_EQ(layers.list().size(), used.size());
}

TEST_F(GcTest, WhatASnapshotAloneHeldIsReleasedAtOnce) {
  const HexDigest own = layer("1");
  const HexDigest shared = layer("2");
  const HexDigest cached = layer("3");
  WorkspacePaths(m_base, "w").create();
  WorkspaceRecord record;
  record.id = "w";
  records.save(record, os::Durable::no);
  for (const char* name : {"baseline", "other"}) {
    SnapshotRecord snapshot;
    snapshot.name = name;
    snapshot.kind = snapshot.name == "baseline" ? SnapshotKind::baseline : SnapshotKind::named;
    snapshot.layers = {shared};
    records.save_snapshot("w", snapshot, os::Durable::no);
  }
  recipe("k", cached, 0);
  {
    const os::SharedLock user = lock_store_shared(m_base);
    EXPECT_EQ(release_layers(m_base, {own}), 0U) << "somebody uses the store";
    EXPECT_TRUE(layers.find(own));
  }
  EXPECT_EQ(release_layers(m_base, {own, shared, cached}), 1U);
  EXPECT_FALSE(layers.find(own));
  EXPECT_TRUE(layers.find(shared) && layers.find(cached));
  EXPECT_TRUE(os::list_directory(m_base.staging()).empty());
}

TEST_F(GcTest, YoungOnesStay) {
  layer("1");
  options.min_age = std::chrono::seconds(1000);
  options.recipes.min_age = std::chrono::seconds(1000);
  EXPECT_TRUE(collect().empty());
}

TEST_F(GcTest, ADamagedRecordKeepsEveryLayer) {
  layer("1");
  WorkspacePaths(m_base, "w").create();
  write(WorkspacePaths(m_base, "w").record(), "{");
  EXPECT_TRUE(collect().empty());
  EXPECT_FALSE(report.skipped.empty());
  EXPECT_EQ(layers.list().size(), 1U);
}

TEST_F(GcTest, StagingOfTheDeadOnly) {
  const Staging alive = layers.stage();
  write(alive.tree() + "/f", "x");
  write(m_base.staging() + "/dead/tree/f", "x");
  write(m_base.staging() + "/dead.lock", "");
  write(m_base.staging() + "/lonely.lock", "");
  EXPECT_EQ(collect(), std::set<std::string>{"staging dead"});
  EXPECT_TRUE(os::exists(alive.tree() + "/f"));
  EXPECT_FALSE(os::exists(m_base.staging() + "/dead"));
  EXPECT_FALSE(os::exists(m_base.staging() + "/dead.lock"));
  EXPECT_FALSE(os::exists(m_base.staging() + "/lonely.lock"));
}

TEST_F(GcTest, GenerationsNobodyNeeds) {
  const WorkspacePaths paths(m_base, "w");
  paths.create();
  for (int i = 1; i <= 4; ++i) {
    write(paths.generation(i) + "/root/upper/f", "x");
  }
  WorkspaceRecord record;
  record.id = "w";
  record.generation = 3;
  record.undo = UndoEntry{2, {}, {}, {}, 0, "reset", 0};
  records.save(record, os::Durable::no);
  {
    const os::ExclusiveLock lock(paths.lock(), "test", std::chrono::seconds(1));
    EXPECT_TRUE(collect().empty()) << "somebody is at work";
    EXPECT_FALSE(report.skipped.empty());
  }
  {
    Journal journal = Journal::begin(paths.journal(), "reset", {}, os::Durable::no);
    EXPECT_TRUE(collect().empty()) << "an operation waits for its recovery";
    journal.commit();
  }
  EXPECT_EQ(collect(), (std::set<std::string>{"generation w/1", "generation w/4"}));
  EXPECT_TRUE(os::exists(paths.generation(2)));
  EXPECT_TRUE(os::exists(paths.generation(3)));
  EXPECT_FALSE(os::exists(paths.generation(4)));
}

/// Nothing in the state directory is a symlink by pyro's hand. Whatever is in the place of a directory of
/// ours: what it leads to stays as it is, and what is ours goes on being collected or is said not to be.
TEST_F(GcTest, SymlinksInThePlaceOfDirectoriesAreNotFollowed) {
  const WorkspacePaths paths(m_base, "w");
  const auto old = os::now_epoch() - 1e6;
  const std::vector<std::string> places{
      m_base.staging(),
      m_base.recipes(),
      m_base.layers(),
      m_base.images(),
      m_base.caches(),
      m_base.root() + "/stat-cache",
      paths.root(),
      paths.generations(),
      paths.snapshots(),
      paths.baseline(),
      paths.services(),
      paths.commands(),
      paths.runtime(),
      paths.generation(7),
      m_base.staging() + "/0123",
      m_base.caches() + "/checkout-0123",
      m_base.layers() + "/" + std::string(64, 'a'),
      m_base.workspaces()};
  for (const auto& place : places) {
    make_directory(m_base.root());
    m_base.prepare();
    paths.create();
    make_directory(m_base.caches());
    WorkspaceRecord record;
    record.id = "w";
    record.generation = 3;
    records.save(record, os::Durable::no);
    const auto canary = scratch / "canary";
    for (const auto* name :
         {"1", "3", "7", "checkout-77", "0123456789abcdef", ".tmp-1-old", "snapshots/x.json", "w/gen/1/f",
          "w/gen/7/f", "gen/1/f", "w/snapshots/.tmp-1-old", "old.erofs"}) {
      write(
          canary + "/" + name + (std::string(name).find('.') == std::string::npos ? "/file" : ""),
          "of the host");
    }
    write(canary + "/" + std::string(64, 'b') + "/tree/f", "of the host");
    write(canary + "/" + std::string(64, 'b') + ".erofs", "of the host");
    write(canary + "/" + std::string(64, 'c') + ".json", "{");
    write(canary + "/workspace.json", read(paths.record()));
    write(canary + "/w/workspace.json", read(paths.record()));
    for (const auto& entry : std::filesystem::recursive_directory_iterator(canary)) {
      const timespec times[2]{{static_cast<time_t>(old), 0}, {static_cast<time_t>(old), 0}};
      ::utimensat(AT_FDCWD, entry.path().c_str(), times, AT_SYMLINK_NOFOLLOW);
    }
    const auto before = full_walk(canary);
    os::remove_tree(place);
    make_symlink(canary, place);
    std::string said;
    try {
      collect();
      for (const auto& line : report.skipped) {
        said += line + "\n";
      }
      remove_abandoned_staging(m_base);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::permission) << place << ": " << error.what();
      said += error.what();
    }
    EXPECT_TRUE(full_walk(canary) == before) << place << " was followed; said: " << said;
    std::filesystem::remove_all(m_base.root());
    std::filesystem::remove_all(canary);
  }
}

/// A link among what is collected is collected; what it leads to is not counted either.
TEST_F(GcTest, SymlinksAmongWhatIsCollectedGoAlone) {
  const WorkspacePaths paths(m_base, "w");
  paths.create();
  WorkspaceRecord record;
  record.id = "w";
  record.generation = 3;
  records.save(record, os::Durable::no);
  write(scratch / "canary/f", std::string(1 << 20, 'x'));
  make_directory(m_base.caches());
  for (const auto& link :
       {paths.generation(7), m_base.staging() + "/0123", m_base.caches() + "/checkout-0123"}) {
    make_symlink(scratch / "canary", link);
  }
  EXPECT_EQ(collect(), (std::set<std::string>{"generation w/7", "staging 0123", "cache checkout-0123"}));
  EXPECT_EQ(report.bytes, 0U);
  EXPECT_FALSE(os::exists(paths.generation(7)) || os::exists(m_base.staging() + "/0123"));
  EXPECT_TRUE(os::exists(scratch / "canary/f"));
}

TEST_F(GcTest, WaitsForUsersOfTheStore) {
  const os::SharedLock user = lock_store_shared(m_base);
  options.lock_timeout = std::chrono::milliseconds(50);
  EXPECT_THROW(collect(), Error);
}

} // namespace pyro::store::test
