// `pyro mcp config`: what clients keep in their files stays, whatever it is, and theirs is added or refused.
#include "mcp_client.hpp"

#include <sys/stat.h>

namespace pyro::testing {
namespace {

class McpConfig : public Functional {
protected:
  RunOptions at_home() const {
    return {
        .env = {
            {"HOME", root().string()},
            {"XDG_CONFIG_HOME", ""},
            {"CODEX_HOME", ""},
            {"CLAUDE_CONFIG_DIR", ""}}};
  }

  Result write(int status, const std::string& client, Arguments more = {}) {
    more.insert(more.begin(), {"mcp", "config", client, "--write"});
    return expect(status, more, at_home());
  }

  std::string program() const { return fs::canonical(bin / "pyro").string(); }

  Json wanted() const { return {{"type", "stdio"}, {"command", program()}, {"args", {"mcp", "serve"}}}; }
};

TEST_F(McpConfig, EachClientHasItsFileAndItsForm) {
  const auto at = [&](const std::string& path) {
    return Json::parse(read_file(root() / path), nullptr, false);
  };
  write(0, "claude-code");
  EXPECT_EQ(at(".claude.json"), Json({{"mcpServers", {{"pyro", wanted()}}}}));
  write(0, "cursor");
  EXPECT_EQ(at(".cursor/mcp.json"), Json({{"mcpServers", {{"pyro", wanted()}}}}));
  write(0, "vscode");
  EXPECT_EQ(at(".config/Code/User/mcp.json"), Json({{"servers", {{"pyro", wanted()}}}}));
  write(0, "zed");
  EXPECT_EQ(
      at(".config/zed/settings.json"),
      Json({{"context_servers", {{"pyro", {{"command", program()}, {"args", {"mcp", "serve"}}}}}}}));
  write(0, "opencode");
  EXPECT_EQ(
      at(".config/opencode/opencode.json"),
      Json(
          {{"mcp",
            {{"pyro", {{"type", "local"}, {"command", {program(), "mcp", "serve"}}, {"enabled", true}}}}}}));
  write(0, "codex");
  EXPECT_EQ(
      read_file(root() / ".codex/config.toml"),
      "[mcp_servers.pyro]\nargs = [\"mcp\",\"serve\"]\ncommand = \"" + program() + "\"\n");
  EXPECT_TRUE(contains(expect(64, {"mcp", "config", "vim"}, at_home()).err, "claude-code"));
}

TEST_F(McpConfig, AProjectsFileNamesNoPathOfThisMachine) {
  for (const auto& [client, path] : std::map<std::string, std::string>{
           {"claude-code", ".mcp.json"},
           {"codex", ".codex/config.toml"},
           {"opencode", "opencode.json"},
           {"cursor", ".cursor/mcp.json"},
           {"vscode", ".vscode/mcp.json"}}) {
    write(0, client, {"--project"});
    const auto text = read_file(project() / path);
    EXPECT_TRUE(contains(text, "--project-path")) << text;
    EXPECT_FALSE(contains(text, root().string())) << text;
  }
  EXPECT_TRUE(contains(write(64, "zed", {"--project"}).err, "--project"));
  const auto elsewhere = another_project("elsewhere");
  write(0, "cursor", {"--project", "--directory", elsewhere.string()});
  EXPECT_TRUE(fs::exists(elsewhere / ".cursor/mcp.json"));
}

TEST_F(McpConfig, WhatIsInAFileStaysByteForByte) {
  const auto path = root() / ".config/zed/settings.json";
  const std::vector<std::pair<std::string, std::string>> cases{
      {"{}", "{\n  \"context_servers\": NEW2\n}"},
      {"// mine\n{\n  \"a\": 1, // one\n  /* two */ \"b\": [1, 2,],\n  // end\n}\n",
       "// mine\n{\n  \"a\": 1, // one\n  /* two */ \"b\": [1, 2,],\n  // end\n  \"context_servers\": "
       "NEW2\n}\n"},
      {"{\n  \"a\": \"// no } comment\" // last\n}\n",
       "{\n  \"a\": \"// no } comment\", // last\n  \"context_servers\": NEW2\n}\n"},
      {"{\n  \"context_servers\": {\n    \"x\": {\"command\": \"y\"}\n  },\n  \"z\": null\n}\n",
       "{\n  \"context_servers\": {\n    \"x\": {\"command\": \"y\"},\n    \"pyro\": NEW4\n  },\n  \"z\": "
       "null\n}\n"},
      {"{\"context_servers\": {}}", "{\"context_servers\": {\n    \"pyro\": NEW4\n  }}"}};
  const Json entry{{"command", program()}, {"args", {"mcp", "serve"}}};
  const auto indented = [](const Json& value, const std::string& indent) {
    std::string text;
    for (const char letter : value.dump(2)) {
      text += letter == '\n' ? "\n" + indent : std::string(1, letter);
    }
    return text;
  };
  for (const auto& [before, pattern] : cases) {
    write_file(path, before);
    write(0, "zed");
    auto after = pattern;
    for (const auto& [mark, text] : std::map<std::string, std::string>{
             {"NEW2", indented({{"pyro", entry}}, "  ")}, {"NEW4", indented(entry, "    ")}}) {
      if (const auto place = after.find(mark); place != std::string::npos) {
        after.replace(place, mark.size(), text);
      }
    }
    EXPECT_EQ(read_file(path), after) << before;
    write(0, "zed");
    EXPECT_EQ(read_file(path), after) << "once more changes nothing";
  }
}

TEST_F(McpConfig, WhatCannotBeMergedSafelyIsLeftAloneAndTold) {
  const auto path = root() / ".claude.json";
  for (const auto* text :
       {"{\"mcpServers\": {\"pyro\": {\"command\": \"mine\"}}}", "{\"mcpServers\": []}", "[]", "{\"a\": 1",
        "{\"a\": 1, \"a\": 2}", "{'a': 1}", "{\"a\": 1} 2", "/* ", "{\"a\" 1}"}) {
    write_file(path, text);
    EXPECT_TRUE(contains(write(1, "claude-code").err, "\"mcpServers\"")) << text;
    EXPECT_EQ(read_file(path), text);
  }
  const auto toml = root() / ".codex/config.toml";
  for (const auto* text :
       {"[mcp_servers.pyro]\ncommand = \"mine\"\n", "[ \"mcp_servers\" . 'pyro' ]\n",
        "[mcp_servers.pyro.env]\nA = \"1\"\n", "mcp_servers = { a = { command = \"x\" } }\n",
        "mcp_servers.a.command = \"x\"\n", "[mcp_servers]\npyro = { command = \"x\" }\n"}) {
    write_file(toml, text);
    EXPECT_TRUE(contains(write(1, "codex").err, "[mcp_servers.pyro]")) << text;
    EXPECT_EQ(read_file(toml), text);
  }
}

TEST_F(McpConfig, ATableIsAddedAtTheEndOfToml) {
  const auto path = root() / ".codex/config.toml";
  const std::string before = "# mine\nmodel = \"x\"\n\n[mcp_servers.other]\ncommand = \"y\"";
  write_file(path, before);
  write(0, "codex");
  const auto after = read_file(path);
  EXPECT_TRUE(after.starts_with(before + "\n\n[mcp_servers.pyro]\n")) << after;
  write(0, "codex");
  EXPECT_EQ(read_file(path), after);
}

TEST_F(McpConfig, ASymlinkStaysOneAndItsFileKeepsItsMode) {
  write_file(root() / "dotfiles/claude", "{\"numStartups\": 7}\n");
  fs::permissions(root() / "dotfiles/claude", fs::perms::owner_read | fs::perms::owner_write);
  fs::create_symlink("dotfiles/claude", root() / ".claude.json");
  write(0, "claude-code");
  EXPECT_TRUE(fs::is_symlink(root() / ".claude.json"));
  EXPECT_EQ(Json::parse(read_file(root() / "dotfiles/claude"))["numStartups"], 7);

  struct stat status {};

  ASSERT_EQ(::stat((root() / "dotfiles/claude").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

} // namespace
} // namespace pyro::testing
