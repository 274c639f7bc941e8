// The protocol itself: both eras on one connection, errors that are errors of the protocol, bytes that are no
// messages. Whatever a client sends, the server answers the next request.
#include "mcp_client.hpp"

namespace pyro::testing {
namespace {

class McpProtocol : public Mcp {};

TEST_F(McpProtocol, BothErasAreSpokenOnOneConnectionAsEachRequestSays) {
  auto client = serve();
  const auto begun = client.begin();
  EXPECT_EQ(begun["protocolVersion"], "2025-11-25");
  EXPECT_EQ(begun["serverInfo"]["name"], "pyro");
  EXPECT_FALSE(client.ask("tools/list")["result"].contains("resultType"));
  const Json modern{
      {"_meta",
       {{"io.modelcontextprotocol/protocolVersion", "2026-07-28"},
        {"io.modelcontextprotocol/clientCapabilities", Json::object()}}}};
  const auto listed = client.ask("tools/list", modern)["result"];
  EXPECT_EQ(listed["resultType"], "complete");
  EXPECT_EQ(listed["cacheScope"], "public");
  EXPECT_GT(listed["ttlMs"], 0);
  EXPECT_EQ(client.ask("ping", modern)["error"]["code"], -32601) << "ping went with the legacy era";
  EXPECT_EQ(client.ask("ping")["result"], Json::object());
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpProtocol, InitializeAgreesOnARevisionThatBothSpeak) {
  for (const auto& [wished, agreed] : std::map<std::string, std::string>{
           {"2025-11-25", "2025-11-25"},
           {"2025-06-18", "2025-06-18"},
           {"2025-03-26", "2025-03-26"},
           {"2024-11-05", "2024-11-05"},
           {"2026-07-28", "2025-11-25"},
           {"1999-01-01", "2025-11-25"}}) {
    auto client = serve();
    const auto answered =
        client.ask("initialize", {{"protocolVersion", wished}, {"capabilities", Json::object()}});
    EXPECT_EQ(answered["result"]["protocolVersion"], agreed) << wished;
    EXPECT_EQ(client.close(), 0);
  }
}

TEST_F(McpProtocol, AModernRequestOfAnUnknownRevisionIsToldWhichThereAre) {
  auto client = serve({}, {"2027-01-01", true});
  const auto error = client.ask("tools/list")["error"];
  EXPECT_EQ(error["code"], -32022);
  EXPECT_EQ(error["data"]["requested"], "2027-01-01");
  EXPECT_EQ(
      error["data"]["supported"],
      Json({"2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"}));
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpProtocol, AModernRequestWithoutCapabilitiesIsRefused) {
  auto client = serve();
  const auto answered =
      client.ask("tools/list", {{"_meta", {{"io.modelcontextprotocol/protocolVersion", "2026-07-28"}}}});
  EXPECT_EQ(answered["error"]["code"], -32602);
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpProtocol, WhatIsNoMessageIsAnsweredAndTheServerGoesOn) {
  auto client = serve();
  const std::vector<std::pair<std::string, int>> bad{
      {"{\n", -32700},
      {"\xff\xfe\n", -32700},
      {std::string(1000, '[') + "\n", -32700},
      {"17\n", -32600},
      {"[]\n", -32600},
      {R"({"id":1,"method":"ping"})"
       "\n",
       -32600},
      {R"({"jsonrpc":"1.0","id":1,"method":"ping"})"
       "\n",
       -32600},
      {R"({"jsonrpc":"2.0","id":{},"method":"ping"})"
       "\n",
       -32600},
      {R"({"jsonrpc":"2.0","id":1.5,"method":"ping"})"
       "\n",
       -32600},
      {R"({"jsonrpc":"2.0","id":1,"method":7})"
       "\n",
       -32600},
      {R"({"jsonrpc":"2.0","id":"a","method":"ping","params":[]})"
       "\n",
       -32600},
      {R"({"jsonrpc":"2.0","id":"a","method":"no/such"})"
       "\n",
       -32601},
      {R"({"jsonrpc":"2.0","id":"a","method":"tools/call"})"
       "\n",
       -32602},
      {R"({"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"exec","arguments":7}})"
       "\n",
       -32602},
      {R"({"jsonrpc":"2.0","id":"a","method":"tools/list","params":{"_meta":7}})"
       "\n",
       -32602},
      {R"({"jsonrpc":"2.0","id":"a","method":"prompts/get","params":{"name":"none"}})"
       "\n",
       -32602}};
  for (const auto& [bytes, code] : bad) {
    client.write(bytes);
    EXPECT_EQ(client.next()["error"]["code"], code) << bytes;
  }
  for (const auto* quiet :
       {"\n", "  \r\n",
        R"({"jsonrpc":"2.0","method":"notifications/none"})"
        "\n",
        R"({"jsonrpc":"2.0","id":99,"result":{}})"
        "\n",
        R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":{}}})"
        "\n"}) {
    client.write(quiet);
    EXPECT_EQ(client.ask("ping")["result"], Json::object()) << quiet;
  }
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpProtocol, AMessageInPiecesIsOneAndALineThatIsTooLongIsPassedOver) {
  auto client = serve();
  for (const char byte : std::string(R"({"jsonrpc":"2.0","id":"p","method":"ping"})")) {
    client.write({&byte, 1});
  }
  client.write("\n");
  EXPECT_EQ(client.next()["id"], "p");
  const std::string piece(1 << 20, ' ');
  for (int count = 0; count < 65; ++count) {
    client.write(piece);
  }
  client.write("\n");
  EXPECT_EQ(client.next()["error"]["code"], -32600);
  EXPECT_EQ(client.ask("ping")["result"], Json::object());
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpProtocol, ABatchIsAnsweredTogether) {
  auto client = serve();
  client.write(
      R"([{"jsonrpc":"2.0","id":"a","method":"ping"},{"jsonrpc":"2.0","method":"notifications/initialized"},)"
      R"({"jsonrpc":"2.0","id":"b","method":"none"},[],{"jsonrpc":"2.0","id":"c","method":"tools/call",)"
      R"("params":{"name":"status","arguments":{"directory":"/nonexistent"}}}])"
      "\n");
  const auto answers = client.next();
  ASSERT_TRUE(answers.is_array()) << answers;
  EXPECT_EQ(answers.size(), 4U) << answers;
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpProtocol, AnIdInFlightIsNotTakenTwice) {
  small_project();
  auto client = serve();
  client.ok("apply");
  const auto first = client.send(
      "tools/call",
      {{"name", "exec"}, {"arguments", {{"argv", {"sh", "-c", "until test -e go; do sleep 0.05; done"}}}}});
  client.write(Json{{"jsonrpc", "2.0"}, {"id", first}, {"method", "ping"}}.dump() + "\n");
  EXPECT_EQ(client.next()["error"]["code"], -32600);
  client.ok("exec", {{"argv", {"touch", "go"}}});
  EXPECT_EQ(client.answer(first)["result"]["structuredContent"]["exit_code"], 0);
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpProtocol, ToolsThatDoNotExistOrDoNotFitAreErrorsThatAModelReads) {
  small_project();
  auto client = serve();
  EXPECT_TRUE(contains(client.refused("statu"), "did you mean 'status'?"));
  EXPECT_TRUE(contains(client.refused("shell_open"), "--profile full"));
  EXPECT_TRUE(contains(client.refused("exec"), "argv"));
  EXPECT_TRUE(contains(client.refused("exec", {{"argv", "ls"}}), "argv"));
  EXPECT_TRUE(contains(client.refused("exec", {{"argv", {"ls"}}, {"sudo", true}}), "sudo"));
  EXPECT_TRUE(contains(client.refused("exec", {{"argv", {"ls"}}, {"workspace", "none"}}), "none"));
  EXPECT_TRUE(contains(client.refused("call_wait", {{"call_id", "none"}}), "none"));
  EXPECT_TRUE(contains(client.refused("call_wait"), "call_id"));
  client.ok("apply");
  ASSERT_EQ(pyro({"stop"}).status, 0);
  EXPECT_TRUE(contains(client.refused("snapshot_create", {{"snapshot_name", "s"}}), "hint: "));
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpProtocol, WhatNobodyAgreedToIsRefusedWithTheWayOut) {
  small_project("secrets: {token: {command: 'touch " + (root() / "ran").string() + "'}}\n");
  auto client = serve();
  const auto refused = client.refused("apply");
  EXPECT_TRUE(contains(refused, "approval_needed")) << refused;
  EXPECT_TRUE(contains(refused, "touch ")) << refused;
  EXPECT_TRUE(contains(refused, "The same call fails again")) << refused;
  EXPECT_EQ(client.refused("apply", {{"approve", true}}), refused) << "that is about what would be lost";
  EXPECT_FALSE(fs::exists(root() / "ran"));
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpProtocol, ResourcesAndPromptsAreReadByTheirNames) {
  small_project();
  auto client = serve({"--project-path", project().string()});
  client.begin();
  client.ok("apply");
  const auto read = [&](const std::string& uri) {
    const auto answered = client.ask("resources/read", {{"uri", uri}});
    return answered.contains("result")
               ? Json::parse(answered["result"]["contents"][0].value("text", ""), nullptr, false)
               : answered;
  };
  EXPECT_EQ(read("pyro://workspaces")["count"], 1);
  EXPECT_EQ(read("pyro://project")["name"], "test");
  EXPECT_TRUE(read("pyro://schema").contains("properties"));
  EXPECT_EQ(read("pyro://workspace/test/status")["state"], "started");
  EXPECT_EQ(read("pyro://workspace/test/diff")["changed"], false);
  EXPECT_EQ(read("pyro://workspace/test/logs")["count"], 0);
  EXPECT_EQ(read("pyro://workspace/none/logs")["error"]["code"], -32002);
  EXPECT_EQ(read("file:///etc/passwd")["error"]["code"], -32002);
  EXPECT_EQ(client.ask("resources/list")["result"]["resources"].size(), 3U);
  EXPECT_EQ(client.ask("resources/templates/list")["result"]["resourceTemplates"].size(), 4U);
  const auto prompts = client.ask("prompts/list")["result"]["prompts"];
  for (const auto& prompt : prompts) {
    const auto argument = prompt["arguments"][0].value("name", "");
    const auto got =
        client.ask("prompts/get", {{"name", prompt["name"]}, {"arguments", {{argument, "the {} value"}}}});
    EXPECT_TRUE(contains(got["result"]["messages"][0]["content"].value("text", ""), "the {} value")) << got;
    EXPECT_EQ(client.ask("prompts/get", {{"name", prompt["name"]}})["error"]["code"], -32602);
  }
  EXPECT_EQ(client.close(), 0);
}

} // namespace
} // namespace pyro::testing
