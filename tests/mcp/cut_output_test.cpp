// What an answer leaves out can be read on from its cursor, also when command, server and workspace have
// gone.
#include "mcp_client.hpp"

namespace pyro::testing {
namespace {

class McpCutOutput : public Mcp {
protected:
  void SetUp() override {
    Mcp::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    small_project(
        "services: {web: {command: 'for i in 1 2 3 4 5 6 7; do echo line $i; done; exec sleep 1000', "
        "readiness: {log: line 7}}}\n");
    ASSERT_EQ(pyro({"apply", "--yes"}).status, 0);
  }

  static std::string numbers(int count) {
    std::string text;
    for (int number = 1; number <= count; ++number) {
      text += std::to_string(number) + "\n";
    }
    return text;
  }

  /// All that follows the beginning of a cut text.
  static std::string rest(McpClient& client, Json cursor) {
    std::string text;
    while (cursor.is_string()) {
      const auto page = client.ok("logs", {{"cursor", cursor}});
      text += page["text"];
      cursor = page["next_cursor"];
    }
    return text;
  }

  static std::string beginning(const Json& cut) {
    const auto text = cut["stdout"].get<std::string>();
    return text.substr(0, text.find("\n[… "));
  }
};

TEST_F(McpCutOutput, OfACommandIsReadOnAlsoByAnotherServer) {
  const auto whole = numbers(60'000); // 349 kB: more than a page and more than the log keeps
  Json cut;
  {
    auto client = serve();
    EXPECT_TRUE(client.ok("exec", {{"argv", {"true"}}})["stdout_cursor"].is_null());
    cut = client.ok("exec", {{"argv", {"sh", "-c", "seq 60000; seq 9 >&2"}}, {"max_output_bytes", 1000}});
    EXPECT_EQ(cut["stdout_truncated"], true);
    EXPECT_TRUE(cut["stderr_cursor"].is_null()) << "all of it is shown";
    EXPECT_EQ(beginning(cut) + rest(client, cut["stdout_cursor"]), whole);
    EXPECT_EQ(client.close(), 0);
  }
  ASSERT_EQ(pyro({"destroy", "--yes"}).status, 0);
  auto client = serve();
  EXPECT_EQ(beginning(cut) + rest(client, cut["stdout_cursor"]), whole);
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpCutOutput, OfTheLogOfCommandsToo) {
  ASSERT_EQ(inside("seq 60000").status, 0);
  ASSERT_EQ(inside("echo second").status, 0);
  auto client = serve({"--profile", "workspace"});
  const auto last = client.ok("workspace_logs", {{"workspace_id", "test"}, {"limit", 1}});
  EXPECT_EQ(last["entries"][0]["stdout"], "second\n");
  const auto before =
      client.ok("workspace_logs", {{"workspace_id", "test"}, {"limit", 1}, {"cursor", last["next_cursor"]}});
  const auto& cut = before["entries"][0];
  EXPECT_EQ(beginning(cut) + rest(client, cut["stdout_cursor"]), numbers(60'000));
  EXPECT_TRUE(before["next_cursor"].is_null());
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpCutOutput, IsReadOnWithTheCharacterInWhichItWasCut) {
  auto client = serve();
  const auto cut = client.ok(
      "exec",
      {{"argv", {"sh", "-c", "for i in $(seq 40000); do printf 'äöü'; done"}}, {"max_output_bytes", 100}});
  std::string whole;
  for (int count = 0; count < 40'000; ++count) {
    whole += "äöü";
  }
  EXPECT_EQ(beginning(cut), whole.substr(0, 50) + "\uFFFD");
  EXPECT_EQ(rest(client, cut["stdout_cursor"]), whole.substr(50));
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpCutOutput, IsGoneAfterADayAndSaysSo) {
  auto client = serve();
  const Json much{{"argv", {"seq", "1000"}}, {"max_output_bytes", 100}};
  const auto cursor = client.ok("exec", much)["stdout_cursor"];
  for (const auto& file : fs::directory_iterator(state() / "outputs")) {
    fs::last_write_time(file, fs::file_time_type::clock::now() - std::chrono::hours(25));
  }
  EXPECT_NE(client.ok("exec", much)["stdout_cursor"], cursor);
  EXPECT_EQ(std::distance(fs::directory_iterator(state() / "outputs"), {}), 1);
  EXPECT_TRUE(contains(client.refused("logs", {{"cursor", cursor}}), "not kept any more"));
  for (const auto* wrong :
       {"x", "lines:web", "../../pyro.yaml", "0123456789abcdef0123456789abcdef.stdin.0"}) {
    EXPECT_TRUE(contains(client.refused("logs", {{"cursor", wrong}}), "is no cursor")) << wrong;
  }
  EXPECT_TRUE(
      contains(client.refused("logs", {{"cursor", "lines:web=0"}, {"follow", true}}), "in two directions"));
  ASSERT_EQ(pyro({"prune", "--all", "--yes"}).status, 0);
  EXPECT_TRUE(fs::is_empty(state() / "outputs"));
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpCutOutput, OfServicesGoesBackToTheBeginning) {
  auto client = serve({"--profile", "workspace"});
  const auto lines_of = [](const Json& page) {
    std::string text;
    for (const auto& line : page["lines"]) {
      text += line["line"].get<std::string>() + "|";
    }
    return text;
  };
  for (const auto stopped : {false, true}) {
    auto page = client.ok("logs", {{"tail", 3}});
    EXPECT_EQ(lines_of(page), "line 5|line 6|line 7|") << stopped;
    EXPECT_EQ(page["truncated"], true);
    page = client.ok("logs", {{"tail", 3}, {"cursor", page["next_cursor"]}});
    EXPECT_EQ(lines_of(page), "line 2|line 3|line 4|");
    page = client.ok("logs", {{"tail", 3}, {"cursor", page["next_cursor"]}});
    EXPECT_EQ(lines_of(page), "line 1|");
    EXPECT_EQ(page["truncated"], false);
    EXPECT_TRUE(page["next_cursor"].is_null());
    const Json web{{"workspace_id", "test"}, {"service_name", "web"}, {"tail_lines", 4}};
    auto part = client.ok("service_logs", web);
    EXPECT_EQ(part["stdout"], "line 4\nline 5\nline 6\nline 7\n");
    auto before = web;
    before["cursor"] = part["next_cursor"];
    part = client.ok("service_logs", before);
    EXPECT_EQ(part["stdout"], "line 1\nline 2\nline 3\n");
    EXPECT_TRUE(part["next_cursor"].is_null());
    client.ok("stop");
  }
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpCutOutput, OfAFileAndOfAListOfFiles) {
  ASSERT_EQ(inside("mkdir -p d/e; touch a d/b d/e/c z; printf 'aäb\\nrest' > text").status, 0);
  auto client = serve({"--profile", "workspace"});
  std::string content;
  Json cursor = 0;
  while (!cursor.is_null()) {
    const auto part = client.ok(
        "workspace_file_read",
        {{"workspace_id", "test"}, {"path", "text"}, {"max_chars", 2}, {"cursor", cursor}});
    EXPECT_EQ(part["truncated"], !part["next_cursor"].is_null());
    content += part["content"];
    cursor = part["next_cursor"];
  }
  EXPECT_EQ(content, "aäb\nrest");
  std::string paths;
  Json request{{"workspace_id", "test"}, {"recursive", true}, {"limit", 2}};
  const auto all = client.ok("workspace_file_list", {{"workspace_id", "test"}, {"recursive", true}});
  std::string wanted;
  for (const auto& entry : all["entries"]) {
    wanted += entry["path"].get<std::string>() + " ";
  }
  while (true) {
    const auto part = client.ok("workspace_file_list", request);
    EXPECT_LE(part["entries"].size(), 2U);
    for (const auto& entry : part["entries"]) {
      paths += entry["path"].get<std::string>() + " ";
    }
    if (part["next_cursor"].is_null()) {
      break;
    }
    request["cursor"] = part["next_cursor"];
  }
  EXPECT_EQ(paths, wanted);
  EXPECT_TRUE(contains(wanted, "/workspace/d/e/c"));
  EXPECT_EQ(client.close(), 0);
}

TEST_F(McpCutOutput, NoSecretIsInIt) {
  auto client = serve({"--profile", "workspace"});
  const auto made = client.ok(
      "workspace_create", {{"environment", "dir:" + (project() / "image").string()},
                           {"secrets", {{{"name", "TOKEN"}, {"value", "very-secret-indeed"}}}}});
  const auto cut = client.ok(
      "workspace_exec", {{"workspace_id", made["workspace_id"]},
                         {"command", "for i in $(seq 500); do echo $TOKEN; done"},
                         {"secret_env", {{"TOKEN", "TOKEN"}}},
                         {"max_output_bytes", 100}});
  ASSERT_TRUE(cut["stdout_cursor"].is_string()) << cut;
  EXPECT_FALSE(contains(rest(client, cut["stdout_cursor"]), "very-secret-indeed"));
  for (const auto& file : fs::directory_iterator(state() / "outputs")) {
    EXPECT_FALSE(contains(read_file(file.path()), "very-secret-indeed"));
  }
  EXPECT_EQ(client.close(), 0);
}

} // namespace
} // namespace pyro::testing
