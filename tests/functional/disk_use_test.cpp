// Disk that pyro takes: what is kept is told with its end, and all of it can be had back.
#include "flags.hpp"

#include <sys/stat.h>

#include <fcntl.h>

namespace pyro::testing {
namespace {

constexpr const char* k_step = "prepare:\n  - {id: step, run: 'head -c 3000000 /dev/urandom > made'}\n";

class DiskUse : public Flags {
protected:
  std::set<std::string> kinds() {
    std::set<std::string> found;
    const auto usage = json({"df"});
    for (const auto& holder : usage["holders"]) {
      found.insert(holder.value("kind", ""));
    }
    return found;
  }

  std::int64_t bytes_of(const std::string& kind) {
    std::int64_t sum = 0;
    const auto usage = json({"df"});
    for (const auto& holder : usage["holders"]) {
      sum += holder.value("kind", "") == kind ? holder["size_bytes"].get<std::int64_t>() : 0;
    }
    return sum;
  }

  /// As if nobody had been here for so many seconds.
  void age(const fs::path& file, int seconds) {
    const timespec then{::time(nullptr) - seconds, 0};
    const timespec times[] = {then, then};
    ASSERT_EQ(::utimensat(AT_FDCWD, file.c_str(), times, 0), 0) << file;
  }

  /// The same of what records say of themselves.
  void let_pass(const fs::path& directory, const std::string& file, int seconds) {
    for (const auto& entry :
         fs::recursive_directory_iterator(directory, fs::directory_options::skip_permission_denied)) {
      if (entry.path().extension() != ".json" || (!file.empty() && entry.path().filename() != file)) {
        continue;
      }
      auto record = Json::parse(read_file(entry.path()));
      for (const auto* field : {"created_at", "last_used"}) {
        if (record.contains(field)) {
          record[field] = record[field].get<double>() - seconds;
        }
      }
      if (record.contains("undo") && record["undo"].is_object()) {
        record["undo"]["expires_at"] = record["undo"]["expires_at"].get<double>() - seconds;
      }
      write_file(entry.path(), record.dump());
      age(entry.path(), seconds);
    }
  }

  std::size_t layers() {
    std::error_code none;
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(state() / "store/layers", none), {}));
  }
};

TEST_F(DiskUse, WhatADestroyedWorkspaceLeavesIsShownAndComesBack) {
  file(k_step);
  expect(0, {"apply"});
  EXPECT_TRUE(kinds().contains("workspace"));
  expect(0, {"destroy", "--yes", "--snapshots"});
  EXPECT_GT(bytes_of("steps"), 3'000'000) << "cached for the next apply";
  const auto kept = expect(0, {"prune"}).out;
  EXPECT_TRUE(contains(kept, "Nothing to remove") && contains(kept, "cached steps of test")) << kept;
  EXPECT_TRUE(contains(kept, "pyro prune --all")) << kept;
  const auto promised = json({"df"})["prune_all_bytes"];
  const auto report = json({"prune", "--all"});
  EXPECT_EQ(report["size_bytes"], promised);
  EXPECT_TRUE(report["kept"].empty());
  EXPECT_EQ(layers(), 0U);
  EXPECT_FALSE(kinds().contains("steps") || kinds().contains("image"));
  EXPECT_EQ(json({"df"})["prune_all_bytes"], 0);
}

TEST_F(DiskUse, WhatWorkspacesNeedStaysWithAll) {
  file(k_step);
  expect(0, {"apply"});
  expect(0, {"prune", "--all"});
  expect(0, {"exec", "--", "rm", "made"});
  expect(0, {"reset"});
  EXPECT_EQ(expect(0, {"exec", "--", "stat", "-c", "%s", "made"}).out, "3000000\n");
  write_file(project() / "seed/first", "second\n");
  const auto plan = json({"plan"})["plan"]["actions"];
  ASSERT_EQ(plan.at(0).at("address"), "environment");
  EXPECT_EQ(plan.at(0).at("action"), "noop") << "nothing below the seed is built again";
}

TEST_F(DiskUse, AStepThatNoWorkspaceHasGoesAfterADay) {
  file(k_step);
  expect(0, {"apply"});
  expect(0, {"destroy", "--yes", "--snapshots"});
  let_pass(state() / "store", "", 2 * 86'400);
  const auto report = json({"prune"});
  EXPECT_GT(report["size_bytes"], 3'000'000);
  EXPECT_EQ(bytes_of("steps"), 0);
}

TEST_F(DiskUse, WhatUndoWouldBringBackIsAskedAboutAndGoesWithItsTime) {
  file();
  expect(0, {"apply"});
  expect(0, {"destroy", "--yes"});
  const auto refused = expect(7, {"prune", "--all"});
  EXPECT_TRUE(contains(refused.err, "pyro undo") && contains(refused.err, "test (")) << refused;
  expect(0, {"undo"});
  expect(0, {"snapshot", "save", "mine"});
  expect(0, {"destroy", "--yes"});
  let_pass(state() / "workspaces", "workspace.json", 2 * 86'400);
  expect(0, {"prune"});
  EXPECT_EQ(workspace_ids().size(), 1U) << "somebody saved a snapshot of it";
  EXPECT_TRUE(contains(expect(7, {"prune", "--all"}).err, "mine"));
  expect(0, {"prune", "--all", "--yes"});
  EXPECT_TRUE(workspace_ids().empty());
  expect(0, {"apply"});
  expect(0, {"destroy", "--yes"});
  let_pass(state() / "workspaces", "workspace.json", 2 * 86'400);
  expect(0, {"prune"});
  EXPECT_TRUE(workspace_ids().empty()) << "its undo is over and nobody saved anything";
}

TEST_F(DiskUse, RetentionRunsByItselfOnceADay) {
  file();
  expect(0, {"apply"});
  expect(0, {"destroy", "--yes"});
  let_pass(state() / "workspaces", "workspace.json", 2 * 86'400);
  auto text = read_file(project() / "pyro.yaml");
  write_file(project() / "pyro.yaml", text.replace(text.find("name: test"), 10, "name: other"));
  expect(0, {"apply"});
  EXPECT_EQ(workspace_ids().size(), 2U) << "a day has not passed";
  age(state() / "pruned", 2 * 86'400);
  expect(0, {"reset"});
  EXPECT_TRUE(eventually([&] { return workspace_ids().size() == 1; }));
}

TEST_F(DiskUse, AnImageInUseSaysByWhom) {
  file();
  expect(0, {"apply"});
  EXPECT_TRUE(contains(expect(1, {"env", "remove", image()}).err, "the workspace test"));
  expect(0, {"destroy", "--yes"});
  const auto refused = expect(1, {"env", "remove", image()});
  EXPECT_TRUE(contains(refused.err, "destroyed workspace test (")) << refused;
  expect(0, {"prune", "--all", "--yes"});
  EXPECT_TRUE(json({"env", "list"})["environments"].empty());
}

TEST_F(DiskUse, TheListSaysThatADirectoryIsGone) {
  const auto elsewhere = root() / "elsewhere";
  fs::create_directories(elsewhere);
  file("", elsewhere);
  expect(0, {"apply"}, {.cwd = elsewhere});
  EXPECT_FALSE(contains(expect(0, {"ls"}).out, "gone"));
  fs::remove_all(elsewhere);
  EXPECT_TRUE(contains(expect(0, {"ls"}).out, "the directory is gone"));
  EXPECT_EQ(json({"ls"})["workspaces"][0]["checkout_gone"], true);
}

TEST_F(DiskUse, PurgeLeavesNothing) {
  file("services:\n  one: {command: [sleep, '1000']}\n");
  expect(0, {"apply"});
  expect(0, {"exec", "--", "sh", "-c", "mkdir -m 700 own && echo x > own/f && chown -R nobody own || true"});
  expect(0, {"snapshot", "save", "mine"});
  std::ignore = made();
  const auto refused = expect(7, {"purge"});
  EXPECT_TRUE(contains(refused.err, "workspace test (running)")) << refused;
  EXPECT_EQ(workspace_ids().size(), 2U);
  const auto report = json({"purge", "--yes"});
  EXPECT_EQ(report["workspaces"], 2);
  EXPECT_TRUE(report["left"].empty()) << report;
  EXPECT_FALSE(fs::exists(state()));
  EXPECT_FALSE(fs::exists(root() / "cache/environments"));
  EXPECT_TRUE(contains(expect(0, {"purge", "--yes"}).err, "nothing of pyro"));
}

TEST_F(DiskUse, PurgeTakesWhatAFailedStepLeft) {
  file("prepare:\n  - {id: bad, run: 'echo half > done; exit 1'}\n");
  expect(1, {"apply"});
  EXPECT_EQ(expect(0, {"exec", "--failed", "--", "cat", "done"}).out, "half\n");
  EXPECT_TRUE(json({"purge", "--yes"})["left"].empty());
  EXPECT_FALSE(fs::exists(state()));
}

TEST_F(DiskUse, PurgeLeavesWhatIsNotPyros) {
  file();
  expect(0, {"apply"});
  write_file(state() / "letter", "mine");
  const auto report = json({"purge", "--yes"});
  EXPECT_EQ(joined(report["left"]), (state() / "letter").string());
  EXPECT_EQ(read_file(state() / "letter"), "mine");
}

TEST_F(Flags, prune__all) {
  file();
  expect(0, {"apply"});
  expect(0, {"destroy", "--yes", "--snapshots"});
  EXPECT_TRUE(json({"prune"})["removed"].empty());
  EXPECT_FALSE(json({"prune", "--all"})["removed"].empty());
}

TEST_F(Flags, ls__all) {
  file();
  expect(0, {"apply"});
  expect(0, {"destroy", "--yes"});
  EXPECT_TRUE(json({"ls"})["workspaces"].empty());
  EXPECT_EQ(joined(json({"ls", "--all"})["workspaces"], "state"), "destroyed");
  EXPECT_TRUE(contains(expect(0, {"ls", "--all"}).out, "`pyro undo` brings it back for another"));
}

} // namespace
} // namespace pyro::testing
