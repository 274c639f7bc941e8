// Every message of the server against the official schema of the revision it is of, and every result against
// the schema that the server itself gave for it.
#include "mcp_client.hpp"

#include <algorithm>
#include <csignal>

namespace pyro::testing {
namespace {

constexpr const char* k_resource = "pyro://workspace/test/status";

class McpSchema : public Mcp, public ::testing::WithParamInterface<Revision> {
protected:
  void write_down(const Json& message, const Json& method = nullptr, const Json& tool = nullptr) {
    m_lines += Json{{"message", message}, {"method", method}, {"tool", tool}}.dump() + "\n";
  }

  void ask(McpClient& client, const std::string& method, const Json& params = Json::object()) {
    write_down(client.ask(method, params), method, params.value("name", Json()));
  }

  void call(McpClient& client, const std::string& tool, Json arguments = Json::object()) {
    ask(client, "tools/call",
        {{"name", tool}, {"arguments", std::move(arguments)}, {"_meta", {{"progressToken", 1}}}});
  }

  /// Returns once it will be told of changes: the id of the modern era's request.
  int listen(McpClient& client) {
    if (!GetParam().is_modern) {
      if (GetParam().over == Over::http) {
        client.http().listen();
      }
      ask(client, "resources/subscribe", {{"uri", k_resource}});
      return 0;
    }
    const auto id =
        client.send("subscriptions/listen", {{"notifications", {{"resourceSubscriptions", {k_resource}}}}});
    EXPECT_TRUE(hears(client, "notifications/subscriptions/acknowledged"));
    return id;
  }

  static bool hears(McpClient& client, const std::string& method) {
    const auto is_it = [&](const Json& message) {
      return message.value("method", "") == method;
    };
    while (std::none_of(client.heard().begin(), client.heard().end(), is_it) && !HasFailure()) {
      std::ignore = client.next();
    }
    return !HasFailure();
  }

  std::string m_lines;
};

TEST_P(McpSchema, EveryMessageFits) {
  const auto revision = GetParam();
  small_project("services: {web: {command: exec sleep 1000}}\n");
  auto client = serve({"--profile", "full"}, revision);
  if (revision.is_modern) {
    ask(client, "server/discover");
  } else {
    ask(client, "initialize",
        {{"protocolVersion", revision.name},
         {"capabilities", Json::object()},
         {"clientInfo", {{"name", "test"}, {"version", "1"}}}});
    ask(client, "ping");
  }
  for (const auto* method : {"tools/list", "resources/list", "resources/templates/list", "prompts/list"}) {
    ask(client, method);
  }
  ask(client, "prompts/get", {{"name", "review"}, {"arguments", {{"workspace", "w"}}}});
  ask(client, "prompts/get", {{"name", "none"}});
  ask(client, "no/such");
  for (const auto* tool :
       {"validate",       "config",        "plan",    "apply",  "apply",   "plan",   "status",   "list",
        "workspace_list", "logs",          "diff",    "doctor", "version", "schema", "env_list", "trust_list",
        "trust_show",     "snapshot_list", "vm_list", "stop",   "start",   "none"}) {
    call(client, tool);
  }
  call(client, "why", {{"address", "workspace"}});
  call(client, "exec", {{"argv", {"sh", "-c", "echo more > file; printf '\\377'"}}});
  call(client, "exec", {{"argv", 1}});
  call(client, "diff", {{"patches", true}});
  call(client, "snapshot_create", {{"snapshot_name", "s"}});
  call(client, "snapshot_list");
  for (const auto* tool :
       {"workspace_status", "workspace_diff", "workspace_logs", "workspace_summary", "service_list",
        "shell_list"}) {
    call(client, tool, {{"workspace_id", "test"}});
  }
  call(client, "service_status", {{"workspace_id", "test"}, {"service_name", "web"}});
  call(client, "service_logs", {{"workspace_id", "test"}, {"service_name", "web"}});
  call(client, "workspace_exec", {{"workspace_id", "test"}, {"command", "pwd"}});
  call(client, "workspace_file_list", {{"workspace_id", "test"}, {"path", "."}});
  call(client, "workspace_file_read", {{"workspace_id", "test"}, {"path", "file"}});
  call(client, "workspace_file_write", {{"workspace_id", "test"}, {"path", "new"}, {"content", "x"}});
  call(client, "workspace_fork", {{"workspace", "test"}, {"count", 1}});
  call(client, "reset");
  call(client, "undo");
  for (const auto* uri :
       {"pyro://workspaces", "pyro://project", "pyro://workspace/test/status", "pyro://none"}) {
    ask(client, "resources/read", {{"uri", uri}});
  }
  const auto listening = listen(client);
  call(client, "destroy", {{"approve", true}, {"snapshots", true}});
  EXPECT_TRUE(hears(client, "notifications/resources/updated"));
  if (revision.is_modern && revision.over == Over::stdio) {
    client.process().signal(SIGTERM);
    write_down(client.answer(listening), "subscriptions/listen");
    EXPECT_EQ(client.process().wait().shell_status(), 0);
  } else {
    if (!revision.is_modern) {
      ask(client, "resources/unsubscribe", {{"uri", k_resource}});
    }
    EXPECT_EQ(client.close(), 0);
  }
  for (const auto& message : client.heard()) {
    if (message.contains("method")) {
      write_down(message);
    }
  }
  write_file(root() / "conversation", m_lines);
  const auto checked = command(
      {"/usr/bin/python3", "-P", (source_dir() / "tests/mcp/validate.py").string(),
       (source_dir() / "tests/data/mcp" / (std::string("schema-") + revision.name + ".json")).string(),
       (root() / "conversation").string()});
  EXPECT_EQ(checked.status, 0) << checked;
}

INSTANTIATE_TEST_SUITE_P(
    Of, McpSchema,
    ::testing::Values(
        Revision{"2026-07-28", true}, Revision{"2025-11-25", false}, Revision{"2026-07-28", true, Over::http},
        Revision{"2025-11-25", false, Over::http}, Revision{"2025-06-18", false}),
    test_name_of);

} // namespace
} // namespace pyro::testing
