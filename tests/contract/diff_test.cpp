// What is different since a workspace was created.
#include "contract.hpp"

#include <pyro/base/json_access.hpp>

namespace pyro::contract {
namespace {

Json diff(Contract& test, const std::string& id) {
  return test.call("workspace_diff", {{"workspace_id", id}});
}

const Json k_nothing{{"total", 0},        {"added", 0},        {"modified", 0}, {"deleted", 0},
                     {"type_changed", 0}, {"text_patched", 0}, {"non_text", 0}};

TEST_P(ContractContent, diff_baseline) {
  const auto id = create_id({{"seed_path", tree("seed", {{"a.txt", "1\n"}}).string()}});
  const auto unchanged = diff(*this, id);
  EXPECT_EQ(unchanged["workspace_id"], id);
  EXPECT_EQ(unchanged["changed"], false);
  EXPECT_EQ(unchanged["summary"], k_nothing);
  EXPECT_EQ(unchanged["entries"], Json::array());
  EXPECT_EQ(unchanged["patch"], "");

  exec(id, "echo 2 >> a.txt; touch a.txt");
  if (has_own_root()) {
    exec(id, "echo x > /etc/elsewhere");
  }
  const auto changed = diff(*this, id);
  EXPECT_EQ(changed["changed"], true);
  ASSERT_EQ(changed["entries"].size(), 1U);
  const auto& entry = changed["entries"][0];
  EXPECT_EQ(entry["path"], "a.txt");
  EXPECT_EQ(entry["status"], "modified");
  EXPECT_EQ(entry["artifact_type"], "file");
  EXPECT_EQ(
      entry["text_patch"], "diff --git a/a.txt b/a.txt\n--- a/a.txt\n+++ b/a.txt\n@@ -1 +1,2 @@\n 1\n+2\n");
  EXPECT_EQ(changed["patch"], entry["text_patch"]);
}

TEST_P(ContractContent, diff_baseline__whatever_the_content_came_from) {
  const auto id = create_id({{"seed_path", tree("seed", {{"a.txt", "1\n"}}).string()}});
  exec(id, "echo 2 > a.txt; mkdir __pycache__; echo x > __pycache__/y");
  call("snapshot_create", {{"workspace_id", id}, {"snapshot_name", "later"}});
  const auto at_snapshot = diff(*this, id);
  EXPECT_EQ(at_snapshot["summary"]["total"], 2);
  call("workspace_reset", {{"workspace_id", id}, {"snapshot", "later"}});
  EXPECT_EQ(diff(*this, id), at_snapshot);
  call("workspace_stop", {{"workspace_id", id}});
  EXPECT_EQ(diff(*this, id), at_snapshot);
  call("workspace_start", {{"workspace_id", id}});
  call("workspace_reset", {{"workspace_id", id}});
  EXPECT_EQ(diff(*this, id)["summary"], k_nothing);
}

TEST_P(ContractAnyImage, diff_counts) {
  const auto seed = tree(
      "seed",
      {{"note.txt", "hello\n"}, {"gone.txt", "bye\n"}, {"data.bin", std::string("\0\1", 2)}, {"same", "x"}});
  fs::create_symlink("note.txt", seed / "link");
  fs::create_directory(seed / "thing");
  fs::create_directory(seed / "old-empty");
  const auto id = create_id({{"seed_path", seed.string()}});
  exec(
      id,
      "echo more >> note.txt; rm gone.txt; echo new > new.txt; printf '\\000\\002' > data.bin; "
      "ln -sfn new.txt link; rmdir thing; echo file > thing; rmdir old-empty; mkdir new-empty; touch same");
  const auto changed = diff(*this, id);
  EXPECT_EQ(
      changed["summary"], (Json{
                              {"total", 8},
                              {"added", 2},
                              {"modified", 3},
                              {"deleted", 2},
                              {"type_changed", 1},
                              {"text_patched", 3},
                              {"non_text", 5}}));
  std::map<std::string, std::string> seen;
  for (const auto& entry : changed["entries"]) {
    const auto path = entry["path"].get<std::string>();
    seen[path] = entry["status"].get<std::string>() + " " + entry["artifact_type"].get<std::string>();
    EXPECT_EQ(entry["text_patch"].is_string(), path.ends_with(".txt")) << path;
  }
  EXPECT_EQ(
      seen, (std::map<std::string, std::string>{
                {"data.bin", "modified file"},
                {"gone.txt", "deleted file"},
                {"link", "modified symlink"},
                {"new-empty", "added directory"},
                {"new.txt", "added file"},
                {"note.txt", "modified file"},
                {"old-empty", "deleted directory"},
                {"thing", "type_changed file"}}));
}

TEST_P(ContractContent, diff_silent) {
  const auto id = create_id({{"seed_path", tree("seed", {{"a.txt", "1\n"}}).string()}});
  exec(id, "echo 2 > a.txt");
  const auto before = call("workspace_status", {{"workspace_id", id}});
  const auto log = call("workspace_logs", {{"workspace_id", id}});
  diff(*this, id);
  call(
      "workspace_export",
      {{"workspace_id", id}, {"path", "a.txt"}, {"output_path", (root() / "out").string()}});
  const auto after = call("workspace_status", {{"workspace_id", id}});
  EXPECT_EQ(after["command_count"], 1);
  EXPECT_EQ(after["command_count"], before["command_count"]);
  EXPECT_EQ(after["last_command"], before["last_command"]);
  EXPECT_EQ(call("workspace_logs", {{"workspace_id", id}}), log);
}

} // namespace
} // namespace pyro::contract
