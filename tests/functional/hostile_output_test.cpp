// A5. Outputs in directories where others write as well: what they plant beside them is never followed,
// changed or removed, and what a killed export leaves is found by what it is, not by its name.
#include "../support/home.hpp"

#include <pyro/base/json_access.hpp>

namespace pyro::testing {
namespace {

class HostileOutput : public Functional {
protected:
  void SetUp() override {
    Functional::SetUp();
    if (IsSkipped()) {
      return;
    }
    write_file(project() / "data/file", "content\n");
    fs::create_directories(shared());
    expect(0, {"workspace", "create", "host", "--name", "w", "--seed-path", "data"});
  }

  void TearDown() override {
    if (!IsSkipped()) {
      const auto listed = json({"workspace", "list"});
      for (const auto& one : listed["workspaces"]) {
        expect(0, {"workspace", "delete", one["workspace_id"].get<std::string>()});
      }
    }
    Functional::TearDown();
  }

  fs::path shared() const { return root() / "shared"; }

  Arguments export_to(const std::string& name) const {
    return {"workspace", "export", "w", ".", "--output", (shared() / name).string()};
  }

  /// Names of work in progress in the shared directory.
  std::vector<std::string> at_work() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(shared())) {
      if (entry.path().filename().string().starts_with(".pyro-")) {
        names.push_back(entry.path().filename().string());
      }
    }
    return names;
  }

  /// Kills an export when its content is there; the name of what it leaves.
  std::string killed_export(const std::string& point = "export.copied") {
    const auto before = at_work();
    const auto killed = pyro(export_to("killed"), {.env = {{"PYRO_CRASH_AT", point}}});
    EXPECT_NE(killed.status, 0) << killed;
    EXPECT_FALSE(fs::exists(shared() / "killed"));
    for (const auto& name : at_work()) {
      if (std::find(before.begin(), before.end(), name) == before.end()) {
        return name;
      }
    }
    return {};
  }
};

TEST_F(HostileOutput, WhatIsPlantedBesideAnOutputIsLeftAlone) {
  const auto foreign = root() / "foreign";
  write_file(foreign / "pyro-export.lock", "not a lock of pyro\n");
  write_file(foreign / "kept", "kept\n");
  write_file(shared() / ".pyro-export-0123456789abcdef/pyro-export.lock", "planted\n");
  write_file(shared() / ".pyro-export-0123456789abcdef/kept", "planted\n");
  fs::create_directory_symlink(foreign, shared() / ".pyro-export-fedcba9876543210");
  fs::create_directories(shared() / ".pyro-export");
  fs::create_symlink(foreign / "kept", shared() / ".pyro-export/pyro-export.lock");
  fs::create_symlink(foreign / "kept", shared() / ".pyro-export.lock");
  const auto planted = tree_of(shared());
  const auto there = tree_of(foreign);
  expect(0, export_to("out"));
  expect(0, {"workspace", "snapshot", "create", "w", "one"});
  EXPECT_EQ(read_file(shared() / "out/file"), "content\n");
  fs::remove_all(shared() / "out");
  expect(0, {"prune"}, {.env = {{"PYRO_CLOCK_OFFSET", "120"}}});
  EXPECT_EQ(tree_of(shared()), planted);
  EXPECT_EQ(tree_of(foreign), there);
}

TEST_F(HostileOutput, WhatAKilledExportLeftIsRemovedByTheNextCommand) {
  for (const auto* point : {"export.noted", "export.made", "export.copied"}) {
    const auto left = killed_export(point);
    EXPECT_EQ(left.empty(), point == std::string("export.noted")) << point;
    expect(0, export_to("out"));
    EXPECT_TRUE(at_work().empty()) << point << ": " << at_work().front();
    fs::remove_all(shared() / "out");
  }
  killed_export();
  ASSERT_FALSE(at_work().empty());
  expect(0, {"prune"});
  EXPECT_TRUE(at_work().empty()) << "found without another export";
}

TEST_F(HostileOutput, AnotherDirectoryUnderTheNameOfAKilledExportStays) {
  const auto left = killed_export();
  ASSERT_FALSE(left.empty());
  fs::rename(shared() / left, shared() / "moved");
  write_file(shared() / left / "content/kept", "kept\n");
  expect(0, {"prune"});
  EXPECT_EQ(read_file(shared() / left / "content/kept"), "kept\n");
  fs::remove_all(shared() / left);

  const auto second = killed_export();
  ASSERT_FALSE(second.empty());
  const auto foreign = root() / "foreign";
  write_file(foreign / "kept", "kept\n");
  fs::rename(shared() / second, shared() / "moved too");
  fs::create_directory_symlink(foreign, shared() / second);
  expect(0, {"prune"});
  EXPECT_EQ(read_file(foreign / "kept"), "kept\n");
  EXPECT_TRUE(fs::is_symlink(shared() / second));
}

} // namespace
} // namespace pyro::testing
