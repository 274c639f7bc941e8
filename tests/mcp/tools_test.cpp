// The list of tools: made from the operation table, no more and no less, and as small as its profile
// promises.
#include "mcp_client.hpp"

#include <pyro/os/file_lock.hpp>

namespace pyro::testing {
namespace {

class McpTools : public Mcp {
protected:
  std::map<std::string, Json> tools(const Arguments& arguments) {
    auto client = serve(arguments);
    std::map<std::string, Json> all;
    const auto answered = client.ask("tools/list");
    for (const auto& tool : answered["result"]["tools"]) {
      EXPECT_TRUE(all.emplace(tool.value("name", ""), tool).second) << tool;
    }
    EXPECT_EQ(client.close(), 0);
    return all;
  }

  static Json operations() {
    return Json::parse(read_file(source_dir() / "schemas/operations/operations.json"))["operations"];
  }
};

TEST_F(McpTools, FullHasEveryOperationWithEveryParameterAndField) {
  auto all = tools({"--profile", "full"});
  EXPECT_EQ(all.erase("call_wait"), 1U);
  const auto table = operations();
  for (const auto& [name, operation] : table.items()) {
    ASSERT_TRUE(all.contains(name)) << name;
    const auto& tool = all[name];
    EXPECT_EQ(tool["inputSchema"], operation["parameters"]) << name;
    auto fields = tool["outputSchema"]["properties"];
    fields.erase("pending");
    EXPECT_EQ(fields, operation["result"].value("properties", Json::object())) << name;
    EXPECT_EQ(tool["annotations"]["readOnlyHint"], operation["read_only"]) << name;
    EXPECT_EQ(tool["annotations"]["destructiveHint"], operation["destructive"]) << name;
    EXPECT_EQ(tool["annotations"]["idempotentHint"], operation["idempotent"]) << name;
    EXPECT_TRUE(tool["annotations"].contains("openWorldHint")) << name;
    EXPECT_NE(tool.value("description", ""), "") << name;
  }
  EXPECT_EQ(all.size(), table.size());
}

TEST_F(McpTools, CoreHasTwelveInThreeThousandTokens) {
  const auto few = tools({});
  EXPECT_LE(few.size(), 12U);
  std::size_t bytes = 0;
  for (const auto& [name, tool] : few) {
    bytes += tool.dump().size();
  }
  // Texts like these have more than three and a half bytes in a token.
  EXPECT_LE(bytes, 3000U * 7 / 2);
}

TEST_F(McpTools, ProfilesGrow) {
  const auto few = tools({});
  const auto some = tools({"--profile", "workspace"});
  const auto all = tools({"--profile", "full"});
  for (const auto& [name, tool] : few) {
    EXPECT_TRUE(some.contains(name)) << name;
  }
  for (const auto& [name, tool] : some) {
    EXPECT_TRUE(all.contains(name)) << name;
  }
  EXPECT_LT(few.size(), some.size());
  EXPECT_LT(some.size(), all.size());
}

TEST_F(McpTools, ReadOnlyHasOnlyWhatChangesNothing) {
  const auto table = operations();
  const auto listed = tools({"--profile", "full", "--read-only"});
  EXPECT_GT(listed.size(), 10U);
  for (const auto& [name, tool] : listed) {
    EXPECT_TRUE(name == "call_wait" || table[name]["read_only"] == true) << name;
  }
  small_project();
  auto client = serve({"--read-only"});
  EXPECT_TRUE(contains(client.refused("apply"), "read-only"));
  EXPECT_EQ(client.close(), 0);
  EXPECT_EQ(workspace_ids().size(), 0U);
}

TEST_F(McpTools, CommonFlagsThatPermitAndBoundHoldForEveryCall) {
  small_project("secrets: {token: {command: echo hidden}}\n");
  auto plain = serve();
  EXPECT_TRUE(contains(plain.refused("apply"), "approval_needed"));
  auto trusting = serve({"--trust", "--lock-timeout", "100ms"});
  trusting.ok("apply");
  ASSERT_EQ(pyro({"destroy", "--yes", "--snapshots"}).status, 0);
  EXPECT_TRUE(contains(plain.refused("apply"), "approval_needed")) << "it was agreed to for one server";
  const auto made = trusting.ok("apply");
  const auto lock = state() / "workspaces" / made.value("workspace_id", "") / "lock";
  const auto held = os::ExclusiveLock::try_lock(lock.string(), "a test");
  ASSERT_TRUE(held);
  EXPECT_TRUE(contains(trusting.refused("snapshot_create", {{"snapshot_name", "s"}}), "locked"));
  EXPECT_EQ(plain.close(), 0);
  EXPECT_EQ(trusting.close(), 0);
}

TEST_F(McpTools, WrongFlagsAreToldBeforeAnythingIsServed) {
  expect(64, {"mcp", "serve", "--profile", "none"});
  expect(64, {"mcp", "serve", "--answer-within", "soon"});
  const auto refused = expect(64, {"mcp", "serve", "--project-path", "/nonexistent"});
  EXPECT_TRUE(contains(refused.err, "/nonexistent")) << refused;
}

} // namespace
} // namespace pyro::testing
