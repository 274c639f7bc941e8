#include "tree_support.hpp"

#include <pyro/os/directory.hpp>
#include <pyro/os/process.hpp>
#include <pyro/store/records.hpp>

#include <gtest/gtest.h>

#include <set>

namespace pyro::store::test {

namespace {

class RecordIndexTest : public ::testing::Test {
protected:
  RecordIndexTest() { m_base.prepare(); }

  static WorkspaceRecord sample() {
    WorkspaceRecord record;
    record.id = "w1";
    record.name = "demo";
    record.backend = "namespaces";
    return record;
  }

  Scratch scratch;
  Base m_base{scratch / "base"};
  WorkspaceRecords records{m_base};
};

} // namespace

TEST_F(RecordIndexTest, FoundByWhatTheyHave) {
  const auto ids = [&](const std::string& text) {
    std::set<std::string> found;
    for (const auto& record : records.mentioning(text)) {
      found.insert(record.id);
    }
    return found;
  };
  using Ids = std::set<std::string>;
  const auto make = [&](const std::string& id, const std::string& name) {
    auto record = sample();
    record.id = id;
    record.name = name;
    record.identity_key = "identity of " + id;
    record.project_file = "/src/" + id + "/pyro.yaml";
    WorkspacePaths(m_base, id).create();
    records.save(record);
    return record;
  };
  auto one = make("aa1", "shop");
  make("aa2", "shop");
  make("bb3", "worker");
  EXPECT_EQ(ids("shop"), (Ids{"aa1", "aa2"}));
  EXPECT_EQ(ids("identity of bb3"), Ids{"bb3"});
  EXPECT_EQ(ids("/src/aa2/pyro.yaml"), Ids{"aa2"});
  EXPECT_EQ(ids("aa"), (Ids{"aa1", "aa2"})) << "by the beginning of an id";
  EXPECT_EQ(ids("nobody"), Ids{});

  one.name = "api";
  records.save(one);
  EXPECT_EQ(ids("api"), Ids{"aa1"});
  EXPECT_EQ(ids("shop"), Ids{"aa2"});

  auto unknown = sample(); // put there by others
  unknown.id = "cc4";
  unknown.name = "shop";
  write(WorkspacePaths(m_base, "cc4").record(), to_json(unknown).dump());
  EXPECT_EQ(ids("shop"), (Ids{"aa2", "cc4"}));

  os::remove_tree(WorkspacePaths(m_base, "aa2").root());
  EXPECT_EQ(ids("shop"), Ids{"cc4"});
  for (const auto& name : os::list_directory(m_base.root() + "/index/" + os::boot_id())) {
    write(m_base.root() + "/index/" + os::boot_id() + "/" + name, "../x\n\n\"nothing of ours");
  }
  EXPECT_EQ(ids("api"), Ids{"aa1"}) << "the index is damaged";
  os::remove_tree(m_base.root() + "/index");
  write(m_base.root() + "/index", "in its place");
  EXPECT_EQ(ids("api"), Ids{"aa1"}) << "there can be none";
}

/// Names are used again and again.
TEST_F(RecordIndexTest, WhatIsGoneDoesNotBurdenTheSearchForEver) {
  for (int number = 0; number < 200; ++number) {
    auto record = sample();
    record.id = "n" + std::to_string(number);
    WorkspacePaths(m_base, record.id).create();
    records.save(record);
    EXPECT_EQ(records.mentioning(record.name).size(), 1U);
    os::remove_tree(WorkspacePaths(m_base, record.id).root());
  }
  EXPECT_LT(read(m_base.root() + "/index/" + os::boot_id() + "/known").size(), 1000U);
}

TEST_F(RecordIndexTest, UnsyncedOnesAreWrittenAllTheSame) {
  auto record = sample();
  WorkspacePaths(m_base, record.id).create();
  SnapshotRecord baseline;
  baseline.name = "baseline";
  baseline.kind = SnapshotKind::baseline;
  {
    const WorkspaceRecords::Unsynced unsynced(records);
    records.save(record);
    records.save_snapshot(record.id, baseline);
  }
  records.sync({record.id});
  EXPECT_EQ(records.load(record.id).name, record.name);
  EXPECT_TRUE(records.has_snapshot(record.id, "baseline"));
}

} // namespace pyro::store::test
