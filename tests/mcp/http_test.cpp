// What is special to HTTP: who may speak, sessions, header fields that must agree with the body, and whatever
// bytes a client sends.
#include "mcp_client.hpp"

#include <sys/stat.h>

#include <array>
#include <unistd.h>

namespace pyro::testing {
namespace {

class McpHttp : public Mcp {
protected:
  static Json ping() { return {{"jsonrpc", "2.0"}, {"id", 1}, {"method", "ping"}}; }

  static Json modern(const std::string& method, Json params = Json::object()) {
    params["_meta"]["io.modelcontextprotocol/protocolVersion"] = "2026-07-28";
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = Json::object();
    return {{"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", params}};
  }

  McpClient begun(const char* revision = "2025-11-25") {
    auto client = serve({}, {revision, false, Over::http});
    client.begin();
    return client;
  }

  static HttpReply
  ask(McpClient& client, const std::string& method, const HttpFields& fields, const std::string& body = "",
      const std::string& path = "/mcp") {
    auto wire = client.http().wire();
    wire.write(http_request(method, path, fields, body));
    return wire.reply();
  }
};

TEST_F(McpHttp, WhoMayNotSpeakIsTurnedAway) {
  auto client = begun();
  const auto fields = client.http().fields_of(ping());
  const auto with = [&](const std::string& name, const std::string& value) {
    auto changed = fields;
    changed[name] = value;
    return ask(client, "POST", changed, ping().dump());
  };
  const auto without = [&](const std::string& name) {
    auto changed = fields;
    changed.erase(name);
    return ask(client, "POST", changed, ping().dump());
  };
  const auto port = std::to_string(client.http().serving().port);
  EXPECT_EQ(ask(client, "POST", fields, ping().dump()).status, 200);
  EXPECT_EQ(without("Authorization").fields["www-authenticate"], "Bearer realm=\"pyro\"");
  for (const auto* wrong : {"", "Bearer", "Bearer ", "Bearer wrong", "Basic cHlybzpweXJv"}) {
    EXPECT_EQ(with("Authorization", wrong).status, 401) << wrong;
  }
  EXPECT_EQ(with("Authorization", "Bearer " + client.http().serving().token + "0").status, 401);
  EXPECT_EQ(with("Authorization", client.http().serving().token).status, 401);
  EXPECT_EQ(with("Authorization", "bearer " + client.http().serving().token).status, 200);
  for (const auto* host : {"evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1"}) {
    EXPECT_EQ(with("Host", std::string(host) + ":" + port).status, 403) << host;
  }
  EXPECT_EQ(without("Host").status, 400);
  EXPECT_EQ(with("Host", "localhost:" + port).status, 200);
  EXPECT_EQ(with("Origin", "http://evil.example").status, 403);
  EXPECT_EQ(with("Origin", "http://localhost:1").status, 403);
  EXPECT_EQ(with("Origin", "null").status, 403);
  EXPECT_EQ(with("Origin", "http://127.0.0.1:" + port).status, 200);
  EXPECT_EQ(with("Content-Type", "text/plain").status, 415);
  EXPECT_EQ(with("Content-Encoding", "gzip").status, 415);
  EXPECT_EQ(with("Content-Type", "application/json; charset=utf-8").status, 200);
  EXPECT_EQ(with("Accept", "text/html").status, 406);
  EXPECT_EQ(with("Accept", "application/json").status, 406);
  EXPECT_EQ(with("Accept", "*/*").status, 200);
  EXPECT_EQ(without("Accept").status, 200);
  EXPECT_EQ(ask(client, "POST", fields, ping().dump(), "/").status, 404);
  for (const auto* method : {"PUT", "OPTIONS", "PATCH"}) {
    EXPECT_EQ(ask(client, method, fields).fields["allow"], "POST, GET, DELETE") << method;
  }
  EXPECT_EQ(client.ask("ping")["result"], Json::object());
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpHttp, AnAddressThatOthersReachHasAWarningAndTheSameGuard) {
  const auto said = root() / "serving";
  auto serving = serve_http({"--http", "0.0.0.0:0"});
  EXPECT_TRUE(contains(read_file(said), "warning: other machines can reach 0.0.0.0")) << read_file(said);
  ASSERT_FALSE(serving.token.empty());
  McpClient client(std::make_unique<HttpChannel>(std::move(serving)), {"2025-11-25", false, Over::http});
  client.begin();
  const auto with = [&](const std::string& name, const std::string& value) {
    auto changed = client.http().fields_of(ping());
    changed[name] = value;
    return ask(client, "POST", changed, ping().dump()).status;
  };
  std::array<char, 256> own{};
  ASSERT_EQ(::gethostname(own.data(), own.size() - 1), 0);
  const auto port = ":" + std::to_string(client.http().serving().port);
  for (const auto& host :
       {std::string("10.1.2.3"), std::string("[fd00::1]"), std::string("localhost"),
        std::string(own.data())}) {
    EXPECT_EQ(with("Host", host + port), 200) << host;
  }
  for (const auto* host : {"evil.example", "10.0.0.1.evil.example", ""}) {
    EXPECT_EQ(with("Host", host + port), 403) << host << ": a page could have us by it";
  }
  EXPECT_EQ(with("Origin", "http://evil.example"), 403);
  EXPECT_EQ(with("Authorization", "Bearer 0123456789abcdef"), 401);
  auto none = client.http().fields_of(ping());
  none.erase("Authorization");
  EXPECT_EQ(ask(client, "POST", none, ping().dump()).status, 401) << "from this machine, too";
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpHttp, ASessionBeginsWithInitializeAndEndsWithDelete) {
  auto client = begun();
  auto fields = client.http().fields_of(ping());
  EXPECT_EQ(client.http().session().size(), 64U);
  auto other = fields;
  other.erase("Mcp-Session-Id");
  EXPECT_EQ(ask(client, "POST", other, ping().dump()).status, 400);
  other["Mcp-Session-Id"] = "none";
  EXPECT_EQ(ask(client, "POST", other, ping().dump()).status, 404);
  EXPECT_EQ(ask(client, "DELETE", other).status, 404);
  other = fields;
  other["MCP-Protocol-Version"] = "1999-01-01";
  EXPECT_EQ(ask(client, "POST", other, ping().dump()).status, 400);
  EXPECT_EQ(ask(client, "POST", fields, "{").status, 400);
  EXPECT_EQ(ask(client, "POST", fields, "17").status, 400);
  EXPECT_EQ(ask(client, "POST", fields, "").status, 400);
  EXPECT_EQ(ask(client, "POST", fields, R"({"jsonrpc":"2.0","id":9,"result":{}})").status, 202);
  EXPECT_EQ(ask(client, "POST", fields, "[" + ping().dump() + "]").status, 400) << "no batches any more";
  // Listening, on one stream at a time, until the session ends.
  fields["Accept"] = "application/json";
  EXPECT_EQ(ask(client, "GET", fields).status, 406);
  fields["Accept"] = "text/event-stream";
  const auto opened = [&] {
    auto stream = client.http().wire();
    stream.write(http_request("GET", "/mcp", fields, ""));
    while (stream.so_far().status == 0 && stream.read(60'000)) {
    }
    EXPECT_EQ(stream.so_far().fields["content-type"], "text/event-stream");
    return stream;
  };
  auto first = opened();
  auto second = opened();
  EXPECT_TRUE(first.reply().is_closed);
  EXPECT_EQ(ask(client, "DELETE", fields).status, 200);
  EXPECT_TRUE(second.reply().is_closed);
  EXPECT_EQ(ask(client, "POST", client.http().fields_of(ping()), ping().dump()).status, 404);
  EXPECT_EQ(ask(client, "GET", fields).status, 404);
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpHttp, ABatchOfTheRevisionThatHasThemIsAnsweredTogether) {
  auto client = begun("2025-03-26");
  const auto fields = client.http().fields_of(ping());
  const auto answers =
      ask(client, "POST", fields,
          R"([{"jsonrpc":"2.0","id":"a","method":"ping"},{"jsonrpc":"2.0","id":"b","method":"x"}])")
          .json();
  EXPECT_EQ(answers.size(), 2U) << answers;
  EXPECT_EQ(
      ask(client, "POST", fields, R"([{"jsonrpc":"2.0","method":"notifications/initialized"}])").status, 202);
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpHttp, WhatAModernRequestSaysTwiceMustBeTheSame) {
  auto client = serve({}, {"2026-07-28", true, Over::http});
  const auto call = modern("prompts/get", {{"name", "review"}, {"arguments", {{"workspace", "w"}}}});
  const auto fields = client.http().fields_of(call);
  const auto code = [&](const HttpFields& changed, const Json& body, int status) {
    const auto reply = ask(client, "POST", changed, body.dump());
    EXPECT_EQ(reply.status, status) << reply;
    return reply.json().value("error", Json::object()).value("code", 0);
  };
  EXPECT_EQ(code(fields, call, 200), 0);
  for (const auto* name : {"MCP-Protocol-Version", "Mcp-Method", "Mcp-Name"}) {
    auto changed = fields;
    changed.erase(name);
    EXPECT_EQ(code(changed, call, 400), -32020) << name;
    changed[name] = "2025-11-25";
    EXPECT_EQ(code(changed, call, 400), -32020) << name;
    changed[name] = "=?base64?&?=";
    EXPECT_EQ(code(changed, call, 400), -32020) << name;
  }
  auto changed = fields;
  changed["Mcp-Name"] = "=?base64?cmV2aWV3?=";
  EXPECT_EQ(code(changed, call, 200), 0);
  changed["Mcp-Session-Id"] = "of no meaning";
  EXPECT_EQ(code(changed, call, 200), 0);
  // A revision that is not spoken, metadata that is not there.
  auto later = call;
  later["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = "2027-01-01";
  EXPECT_EQ(code(client.http().fields_of(later), later, 400), -32022);
  changed = fields;
  changed["MCP-Protocol-Version"] = "2027-01-01";
  EXPECT_EQ(code(changed, ping(), 400), -32022);
  EXPECT_EQ(code(fields, ping(), 400), -32602);
  auto poor = call;
  poor["params"]["_meta"].erase("io.modelcontextprotocol/clientCapabilities");
  EXPECT_EQ(code(fields, poor, 400), -32602);
  // What this revision has not.
  const auto unknown = modern("ping");
  EXPECT_EQ(code(client.http().fields_of(unknown), unknown, 404), -32601);
  EXPECT_EQ(code(fields, Json::array({call}), 400), -32600);
  EXPECT_EQ(code(fields, {{"jsonrpc", "2.0"}, {"id", 9}, {"result", Json::object()}}, 400), -32600);
  EXPECT_EQ(ask(client, "GET", fields).fields["allow"], "POST");
  EXPECT_EQ(ask(client, "DELETE", fields).status, 405);
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpHttp, ProgressMakesAStreamOfTheAnswer) {
  small_project();
  auto client = serve({}, {"2026-07-28", true, Over::http});
  const auto apply = modern(
      "tools/call", {{"name", "apply"}, {"arguments", Json::object()}, {"_meta", {{"progressToken", "t"}}}});
  const auto reply = ask(client, "POST", client.http().fields_of(apply), apply.dump());
  EXPECT_EQ(reply.fields.at("content-type"), "text/event-stream");
  EXPECT_EQ(reply.fields.at("x-accel-buffering"), "no");
  const auto events = reply.events();
  ASSERT_GT(events.size(), 1U) << reply;
  for (std::size_t at = 0; at + 1 < events.size(); ++at) {
    EXPECT_EQ(events[at]["method"], "notifications/progress") << events[at];
  }
  EXPECT_EQ(events.back()["result"]["isError"], false) << events.back();
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpHttp, WhateverBytesComeTheNextRequestIsAnswered) {
  auto client = begun();
  const auto fields = client.http().fields_of(ping());
  auto slow = client.http().wire();
  for (const char byte : http_request("POST", "/mcp", fields, ping().dump())) {
    slow.write({&byte, 1});
  }
  EXPECT_EQ(slow.reply().json()["result"], Json::object());
  for (const auto* junk : {"\r\n\r\n", "GET\r\n\r\n", "\xff\xfe\r\n\r\n", "POST /mcp HTTP/9.9\r\n\r\n"}) {
    auto wire = client.http().wire();
    wire.write(junk);
    wire.close();
  }
  auto half = client.http().wire();
  const auto whole = http_request("POST", "/mcp", fields, ping().dump());
  half.write(whole.substr(0, whole.size() - 5));
  half.close();
  auto large = fields;
  large["X-Large"] = std::string(100'000, 'x');
  const auto refused = ask(client, "POST", large, ping().dump());
  EXPECT_TRUE(refused.is_closed && (refused.status == 0 || refused.status >= 400)) << refused.status;
  large = fields;
  large["Content-Length"] = "100000000000";
  EXPECT_EQ(ask(client, "POST", large, "{").status, 413);
  large["Content-Length"] = "-1";
  EXPECT_NE(ask(client, "POST", large, "{").status, 200);
  EXPECT_EQ(client.ask("ping")["result"], Json::object());
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpHttp, ABodyThatGrowsBeyondTheBoundIsReadAndRefused) {
  auto client = begun();
  auto fields = client.http().fields_of(ping());
  fields["Transfer-Encoding"] = "chunked";
  auto wire = client.http().wire();
  wire.write(http_request("POST", "/mcp", fields, ""));
  const auto chunk = "100000\r\n" + std::string(1 << 20, ' ') + "\r\n";
  for (int count = 0; count < 65; ++count) {
    wire.write(chunk);
  }
  wire.write("0\r\n\r\n");
  EXPECT_EQ(wire.reply().status, 413);
  EXPECT_EQ(client.ask("ping")["result"], Json::object());
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpHttp, ConnectionsThatAskNothingGiveWayToWhoDoes) {
  auto client = begun();
  std::vector<HttpWire> idle;
  for (int count = 0; count < 300; ++count) {
    idle.push_back(client.http().wire());
    idle.back().write("POST /mcp HTTP/1.1\r\n");
  }
  EXPECT_EQ(client.ask("ping")["result"], Json::object());
  EXPECT_TRUE(idle.front().reply().is_closed) << "the first has waited longest";
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpHttp, SessionsBeyondABoundTakeThePlaceOfTheOldest) {
  auto client = begun();
  const Json initialize{
      {"jsonrpc", "2.0"},
      {"id", 1},
      {"method", "initialize"},
      {"params", {{"protocolVersion", "2025-11-25"}, {"capabilities", Json::object()}}}};
  auto fields = client.http().fields_of(initialize);
  fields.erase("Mcp-Session-Id");
  std::string last;
  for (int count = 0; count < 256; ++count) {
    last = ask(client, "POST", fields, initialize.dump()).fields["mcp-session-id"];
  }
  EXPECT_EQ(ask(client, "POST", client.http().fields_of(ping()), ping().dump()).status, 404);
  fields["Mcp-Session-Id"] = last;
  EXPECT_EQ(ask(client, "POST", fields, ping().dump()).status, 200);
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpHttp, AtAUnixSocketItsFileSaysWhoMaySpeak) {
  const auto path = root() / "socket";
  auto server = start({"mcp", "serve", "--http", "unix:" + path.string()});
  ASSERT_TRUE(eventually([&] { return fs::exists(path); }));

  struct stat status {};

  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  const auto list = modern("tools/list");
  HttpWire wire(path.string());
  wire.write(http_request(
      "POST", "/mcp",
      {{"Host", "pyro"},
       {"Content-Type", "application/json"},
       {"MCP-Protocol-Version", "2026-07-28"},
       {"Mcp-Method", "tools/list"}},
      list.dump()));
  EXPECT_EQ(wire.reply().json()["result"]["tools"].size(), 12U);
  EXPECT_EQ(expect(1, {"mcp", "serve", "--http", "unix:" + path.string()}).out, "");
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait().shell_status(), 0);
  EXPECT_FALSE(fs::exists(path));
  write_file(path, "mine");
  expect(1, {"mcp", "serve", "--http", "unix:" + path.string()});
  EXPECT_EQ(read_file(path), "mine");
}

TEST_F(McpHttp, AddressesAndTokensThatAreNoneAreToldBeforeAnythingIsServed) {
  for (const auto* address :
       {"8931", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", "example.com:80", "unix:"}) {
    EXPECT_TRUE(contains(expect(64, {"mcp", "serve", "--http", address}).err, "127.0.0.1:8931")) << address;
  }
  expect(64, {"mcp", "serve", "--token-file", "token"});
  const auto refused = [&](int status) {
    return expect(status, {"mcp", "serve", "--http", ":0", "--token-file", "token"}).err;
  };
  write_file(project() / "token", "short\n");
  fs::permissions(project() / "token", fs::perms::owner_read);
  EXPECT_TRUE(contains(refused(1), "at least 16"));
  fs::permissions(project() / "token", fs::perms::owner_all);
  write_file(project() / "token", "0123456789abcdef\n");
  fs::permissions(project() / "token", fs::perms::owner_read | fs::perms::group_read);
  EXPECT_TRUE(contains(refused(77), "chmod 600"));
  fs::remove(project() / "token");
  fs::create_directory(project() / "token");
  EXPECT_TRUE(contains(refused(1), "a directory"));
}

} // namespace
} // namespace pyro::testing
