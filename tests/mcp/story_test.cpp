// What an agent does, in every revision: make a workspace, work in it, keep a snapshot, break it, go back,
// look at the difference, take the result out.
#include "mcp_client.hpp"

namespace pyro::testing {
namespace {

class McpStory : public Mcp, public ::testing::WithParamInterface<Revision> {};

TEST_P(McpStory, CreateExecSnapshotBreakResetDiffExport) {
  make_busybox_root(project() / "image");
  auto client = serve({"--profile", "workspace"}, GetParam());
  client.begin();
  const auto made = client.ok("workspace_create", {{"environment", "dir:" + (project() / "image").string()}});
  const auto id = made.value("workspace_id", "");
  ASSERT_NE(id, "");
  const auto run = [&](const std::string& command) {
    return client.ok("workspace_exec", {{"workspace_id", id}, {"command", command}});
  };
  EXPECT_EQ(run("echo good > /workspace/result")["exit_code"], 0);
  EXPECT_EQ(
      client.ok("snapshot_create", {{"workspace_id", id}, {"snapshot_name", "good"}})["snapshot"]["kind"],
      "named");
  EXPECT_EQ(run("rm -r /bin/sh /workspace/result")["exit_code"], 0);
  EXPECT_NE(run("true")["exit_code"], 0) << "its shell is gone";
  client.ok("workspace_reset", {{"workspace_id", id}, {"snapshot", "good"}});
  EXPECT_EQ(run("cat /workspace/result")["stdout"], "good\n");
  const auto difference = client.ok("workspace_diff", {{"workspace_id", id}});
  ASSERT_EQ(difference["entries"].size(), 1U) << difference;
  EXPECT_EQ(difference["entries"][0]["path"], "result");
  const auto out = project() / "out";
  client.ok("workspace_export", {{"workspace_id", id}, {"path", "result"}, {"output_path", out.string()}});
  EXPECT_EQ(read_file(out), "good\n");
  client.ok("workspace_delete", {{"workspace_id", id}});
  EXPECT_EQ(client.close(), 0);
}

TEST_P(McpStory, ADeclaredProjectIsPlannedAppliedChangedAndReset) {
  small_project("services: {web: {command: 'touch /workspace/up; exec sleep 1000', "
                "readiness: {exec: test -e /workspace/up}}}\n");
  auto client = serve({"--project-path", project().string()}, GetParam());
  client.begin();
  EXPECT_NE(client.ok("plan")["plan"]["actions"].size(), 0U);
  EXPECT_EQ(client.ok("apply")["changed"], true);
  EXPECT_EQ(client.ok("apply")["changed"], false);
  EXPECT_EQ(client.ok("status")["state"], "started");
  client.ok("exec", {{"argv", {"sh", "-c", "echo more >> file"}}});
  EXPECT_EQ(client.ok("diff")["changed"], true);
  client.ok("reset");
  EXPECT_EQ(client.ok("exec", {{"argv", {"cat", "file"}}})["stdout"], "seed\n");
  client.ok("undo");
  EXPECT_EQ(client.ok("exec", {{"argv", {"cat", "file"}}})["stdout"], "seed\nmore\n");
  client.ok("destroy", {{"approve", true}, {"snapshots", true}});
  EXPECT_EQ(client.close(), 0);
}

INSTANTIATE_TEST_SUITE_P(
    In, McpStory,
    ::testing::Values(
        Revision{"2026-07-28", true}, Revision{"2025-11-25", false}, Revision{"2026-07-28", true, Over::http},
        Revision{"2025-11-25", false, Over::http}, Revision{"2025-06-18", false},
        Revision{"2025-03-26", false}, Revision{"2024-11-05", false}),
    test_name_of);

} // namespace
} // namespace pyro::testing
