// Notices of what changes: resources/subscribe of the legacy era, subscriptions/listen of the modern one.
#include "mcp_client.hpp"

#include <csignal>
#include <set>

namespace pyro::testing {
namespace {

constexpr const char* k_subscription_id = "io.modelcontextprotocol/subscriptionId";

class McpNotices : public Mcp {
protected:
  void SetUp() override {
    Mcp::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    small_project();
    ASSERT_EQ(pyro({"apply", "--yes"}).status, 0);
  }

  /// A client that is told of these from now on.
  McpClient listening(const Revision& revision, const std::vector<std::string>& uris) {
    auto client = serve({"--profile", "workspace"}, revision);
    const auto begun = client.begin();
    EXPECT_EQ(begun["capabilities"]["resources"], Json({{"subscribe", true}}));
    if (revision.is_modern) {
      m_listen = client.send("subscriptions/listen", {{"notifications", {{"resourceSubscriptions", uris}}}});
      const auto first = client.next();
      EXPECT_EQ(first["method"], "notifications/subscriptions/acknowledged") << first;
      EXPECT_EQ(first["params"]["_meta"][k_subscription_id], m_listen);
      return client;
    }
    if (revision.over == Over::http) {
      client.http().listen();
    }
    for (const auto& uri : uris) {
      EXPECT_EQ(client.ask("resources/subscribe", {{"uri", uri}})["result"], Json::object()) << uri;
    }
    return client;
  }

  /// The address of the next notice.
  std::string changed(McpClient& client) {
    const auto message = client.next();
    EXPECT_EQ(message.value("method", ""), "notifications/resources/updated") << message;
    m_said.push_back(message);
    return message.contains("params") ? message["params"].value("uri", "") : "";
  }

  /// Waits until all of these were told of; what else comes is remembered in m_said.
  void hear(McpClient& client, std::set<std::string> uris) {
    while (!uris.empty() && !HasFailure()) {
      uris.erase(changed(client));
    }
  }

  static std::string of_workspace(const std::string& part) { return "pyro://workspace/test/" + part; }

  int m_listen = 0;
  std::vector<Json> m_said;
};

class McpNoticesOf : public McpNotices, public ::testing::WithParamInterface<Revision> {};

TEST_P(McpNoticesOf, TellWhatOthersChanged) {
  const auto revision = GetParam();
  auto client = listening(
      revision, {of_workspace("status"), of_workspace("diff"), of_workspace("logs"), "pyro://project",
                 "pyro://workspaces"});
  ASSERT_EQ(inside("echo new > new").status, 0);
  hear(client, {of_workspace("diff"), of_workspace("logs")});
  write_file(project() / "pyro.yaml", read_file(project() / "pyro.yaml") + "description: another\n");
  hear(client, {"pyro://project"});
  ASSERT_EQ(pyro({"stop"}).status, 0);
  hear(client, {of_workspace("status"), "pyro://workspaces"});
  // Of its own calls as well, and what is read then is what was told of.
  EXPECT_EQ(client.ok("start")["state"], "started");
  hear(client, {of_workspace("status")});
  for (const auto& message : m_said) {
    EXPECT_EQ(message["params"].contains("_meta"), revision.is_modern) << message;
    if (revision.is_modern) {
      EXPECT_EQ(message["params"]["_meta"][k_subscription_id], m_listen) << message;
    }
  }
  EXPECT_EQ(client.close(), 0);
}

INSTANTIATE_TEST_SUITE_P(
    In, McpNoticesOf,
    ::testing::Values(
        Revision{"2025-11-25", false}, Revision{"2025-11-25", false, Over::http},
        Revision{"2026-07-28", true}, Revision{"2026-07-28", true, Over::http}),
    test_name_of);

TEST_F(McpNotices, TellOfWhatWasAskedForOnly) {
  auto client =
      listening({"2025-11-25", false}, {of_workspace("status"), of_workspace("diff"), "pyro://project"});
  // `status` says that the file is another one now, once.
  const auto config = read_file(project() / "pyro.yaml");
  const auto describe = [&](const std::string& text) {
    write_file(project() / "pyro.yaml", config + "description: " + text + "\n");
  };
  describe("one");
  hear(client, {"pyro://project", of_workspace("status")});
  EXPECT_EQ(client.ask("resources/unsubscribe", {{"uri", of_workspace("diff")}})["result"], Json::object());
  ASSERT_EQ(inside("echo new > new").status, 0);
  hear(client, {of_workspace("status")}); // its last command
  describe("two");
  hear(client, {"pyro://project"});
  for (const auto* text : {"three", "four"}) {
    describe(text);
    EXPECT_EQ(changed(client), "pyro://project") << "nothing else has changed";
  }
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpNotices, AWorkspaceThatComesAndGoes) {
  ASSERT_EQ(pyro({"destroy", "--yes"}).status, 0);
  auto client = listening({"2026-07-28", true}, {of_workspace("status")});
  ASSERT_EQ(pyro({"apply", "--yes"}).status, 0);
  hear(client, {of_workspace("status")});
  EXPECT_TRUE(client.ask("resources/read", {{"uri", of_workspace("status")}}).contains("result"));
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpNotices, AListeningEndsWithItsRequest) {
  auto client = listening({"2026-07-28", true}, {of_workspace("diff"), "pyro://none", "pyro://schema"});
  const auto& said = client.heard().back();
  EXPECT_EQ(
      said["params"]["notifications"],
      (Json{{"resourceSubscriptions", {"pyro://schema", of_workspace("diff")}}}))
      << "of what there is";
  client.notify("notifications/cancelled", {{"requestId", m_listen}});
  ASSERT_EQ(inside("echo new > new").status, 0);
  const auto second = client.send(
      "subscriptions/listen",
      {{"notifications", {{"resourceSubscriptions", {of_workspace("diff")}}, {"toolsListChanged", true}}}});
  EXPECT_EQ(client.next()["params"]["_meta"][k_subscription_id], second) << "the first is told nothing";
  ASSERT_EQ(inside("echo newer > newer").status, 0);
  EXPECT_EQ(changed(client), of_workspace("diff"));
  EXPECT_EQ(m_said.back()["params"]["_meta"][k_subscription_id], second);
  EXPECT_EQ(client.ask("subscriptions/listen")["error"]["code"], -32602);
  EXPECT_EQ(client.ask("resources/subscribe", {{"uri", "pyro://schema"}})["error"]["code"], -32601);
  client.process().signal(SIGTERM);
  EXPECT_EQ(
      client.answer(second)["result"],
      (Json{{"_meta", {{k_subscription_id, second}}}, {"resultType", "complete"}}));
  EXPECT_EQ(client.process().wait().shell_status(), 0);
}

TEST_F(McpNotices, AClientThatLeavesIsNotReadForAnyMore) {
  auto client = listening({"2026-07-28", true, Over::http}, {of_workspace("status")});
  const auto left = m_listen;
  client.http().leave_last();
  std::ignore = client.send(
      "subscriptions/listen", {{"notifications", {{"resourceSubscriptions", {"pyro://project"}}}}});
  EXPECT_NE(client.next()["params"]["_meta"][k_subscription_id], left);
  write_file(project() / "pyro.yaml", read_file(project() / "pyro.yaml") + "description: x\n");
  EXPECT_EQ(changed(client), "pyro://project");
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpNotices, WhatCannotBeIsRefused) {
  auto client = serve();
  client.begin();
  EXPECT_EQ(client.ask("resources/subscribe", {{"uri", "pyro://none"}})["error"]["code"], -32002);
  EXPECT_EQ(client.ask("resources/subscribe")["error"]["code"], -32602);
  for (int count = 0; count < 64; ++count) {
    client.send(
        "resources/subscribe", {{"uri", "pyro://workspace/none-" + std::to_string(count) + "/status"}});
  }
  const auto refused = client.ask("resources/subscribe", {{"uri", "pyro://schema"}});
  EXPECT_TRUE(contains(refused["error"]["message"], "too many subscriptions")) << refused;
  EXPECT_EQ(client.ask("ping")["result"], Json::object());
  EXPECT_EQ(client.close(), 0);
}

} // namespace
} // namespace pyro::testing
