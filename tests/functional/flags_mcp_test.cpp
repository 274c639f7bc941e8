// Flags of `pyro mcp serve`.
#include "flags.hpp"

#include <csignal>

namespace pyro::testing {
namespace {

/// What the server answers to one request; its input stays open until then.
Json answer(
    Flags& test, const Arguments& flags, const std::string& method, const Json& params = Json::object()) {
  std::string words;
  for (const auto& flag : flags) {
    words += " '" + flag + "'";
  }
  const Json request{{"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", params}};
  write_file(test.root() / "request", request.dump() + "\n");
  const auto script = "cd '" + test.root().string()
                      + "' && : > answer && { cat request; until test -s answer; do sleep 0.05; "
                      + "done; } | pyro mcp serve" + words + " > answer && cat answer";
  const auto ran = test.command({"sh", "-c", script});
  EXPECT_EQ(ran.status, 0) << ran;
  const auto document = Json::parse(ran.out, nullptr, false);
  EXPECT_FALSE(document.is_discarded()) << ran;
  return document.is_object() ? document.value("result", Json()) : Json();
}

Json call(
    Flags& test, const Arguments& flags, const std::string& tool, const Json& arguments = Json::object()) {
  return answer(test, flags, "tools/call", {{"name", tool}, {"arguments", arguments}});
}

TEST_F(Flags, mcp_serve__profile) {
  const auto count = [&](const Arguments& flags) {
    return answer(*this, flags, "tools/list")["tools"].size();
  };
  EXPECT_LT(count({}), count({"--profile", "workspace"}));
  EXPECT_EQ(count({}), count({"--profile", "core"}));
}

TEST_F(Flags, mcp_serve__read_only) {
  const auto tried = call(*this, {}, "undo", {{"workspace", "none"}});
  EXPECT_TRUE(contains(tried["content"][0].value("text", ""), "does not exist")) << tried;
  const auto refused = call(*this, {"--read-only"}, "undo", {{"workspace", "none"}});
  EXPECT_TRUE(contains(refused["content"][0].value("text", ""), "read-only")) << refused;
}

TEST_F(Flags, mcp_serve__project_path) {
  file();
  const auto told = call(*this, {"--project-path", project().string()}, "status");
  EXPECT_TRUE(contains(told["content"][0].value("text", ""), "apply"))
      << "there is a file, and no workspace yet: " << told;
  const auto untold = call(*this, {}, "status");
  EXPECT_TRUE(contains(untold["content"][0].value("text", ""), "there is no pyro.yaml")) << untold;
}

TEST_F(Flags, mcp_serve__answer_within) {
  const auto id = made();
  const Json slow{{"workspace", id}, {"argv", {"sleep", "2"}}};
  EXPECT_TRUE(
      call(*this, {"--answer-within", "100ms"}, "exec", slow)["structuredContent"].contains("pending"));
  EXPECT_EQ(call(*this, {}, "exec", slow)["structuredContent"]["exit_code"], 0);
}

/// The status of a request over HTTP to `url`, or "unix:/path", with this token.
std::string http_status(Flags& test, const std::string& url, const std::string& token) {
  Arguments curl{
      "curl", "-s",
      "-o",   "answer",
      "-w",   "%{http_code}",
      "-H",   "Content-Type: application/json",
      "-H",   "Authorization: Bearer " + token,
      "-d",   R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}})"};
  if (url.starts_with("unix:")) {
    curl.insert(curl.end(), {"--unix-socket", url.substr(5), "http://localhost/mcp"});
  } else {
    curl.push_back(url);
  }
  return test.command(curl).out;
}

TEST_F(Flags, mcp_serve__http) {
  const auto path = (root() / "socket").string();
  auto server = start({"mcp", "serve", "--http", "unix:" + path});
  ASSERT_TRUE(eventually([&] { return fs::exists(path); }));
  EXPECT_EQ(http_status(*this, "unix:" + path, ""), "200");
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait().shell_status(), 0);
}

TEST_F(Flags, mcp_serve__token_file) {
  write_file(root() / "token", "0123456789abcdef0123456789abcdef\n");
  fs::permissions(root() / "token", fs::perms::owner_read);
  const auto path = (root() / "socket").string();
  auto server =
      start({"mcp", "serve", "--http", "unix:" + path, "--token-file", (root() / "token").string()});
  ASSERT_TRUE(eventually([&] { return fs::exists(path); }));
  EXPECT_EQ(http_status(*this, "unix:" + path, ""), "401");
  EXPECT_EQ(http_status(*this, "unix:" + path, "0123456789abcdef0123456789abcdef"), "200");
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait().shell_status(), 0);
}

TEST_F(Flags, mcp_config__write) {
  const RunOptions at_home{.env = {{"HOME", root().string()}}};
  const auto printed = expect(0, {"mcp", "config", "cursor"}, at_home).out;
  EXPECT_TRUE(contains(printed, "\"mcpServers\"")) << printed;
  EXPECT_FALSE(fs::exists(root() / ".cursor/mcp.json"));
  expect(0, {"mcp", "config", "cursor", "--write"}, at_home);
  EXPECT_TRUE(contains(printed, read_file(root() / ".cursor/mcp.json")));
}

TEST_F(Flags, mcp_config__project) {
  const auto told = json({"mcp", "config", "cursor", "--project"});
  EXPECT_EQ(told["path"], (project() / ".cursor/mcp.json").string());
  EXPECT_EQ(told["written"], false);
}

} // namespace
} // namespace pyro::testing
