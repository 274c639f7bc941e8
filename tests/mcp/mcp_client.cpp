#include "mcp_client.hpp"

#include <algorithm>
#include <fcntl.h>
#include <regex>

namespace pyro::testing {

std::ostream& operator<<(std::ostream& out, const Revision& revision) {
  return out << revision.name << (revision.over == Over::http ? " over HTTP" : "");
}

std::string test_name_of(const ::testing::TestParamInfo<Revision>& revision) {
  std::string name = revision.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name + (revision.param.over == Over::http ? "_http" : "");
}

McpClient::McpClient(std::unique_ptr<Channel> channel, Revision revision)
    : m_channel(std::move(channel)), m_revision(revision) {
}

Json McpClient::begin() {
  if (m_revision.is_modern) {
    return ask("server/discover").value("result", Json());
  }
  const auto answered =
      ask("initialize", {{"protocolVersion", m_revision.name},
                         {"capabilities", capabilities},
                         {"clientInfo", {{"name", "test"}, {"version", "1"}}}});
  notify("notifications/initialized");
  return answered.value("result", Json());
}

void McpClient::write(std::string_view bytes) {
  dynamic_cast<StdioChannel&>(*m_channel).write(bytes);
}

int McpClient::send(const std::string& method, Json params) {
  if (m_revision.is_modern) {
    params["_meta"]["io.modelcontextprotocol/protocolVersion"] = m_revision.name;
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = capabilities;
  }
  m_channel->send({{"jsonrpc", "2.0"}, {"id", ++m_last_id}, {"method", method}, {"params", params}});
  return m_last_id;
}

void McpClient::notify(const std::string& method, Json params) {
  m_channel->send({{"jsonrpc", "2.0"}, {"method", method}, {"params", std::move(params)}});
}

std::optional<Json> McpClient::receive() {
  auto message = m_channel->receive();
  if (message) {
    m_heard.push_back(*message);
  }
  return message;
}

Json McpClient::next() {
  if (!m_waiting.empty()) {
    auto message = m_waiting.front();
    m_waiting.pop_front();
    return message;
  }
  const auto message = receive();
  EXPECT_TRUE(message) << "the server says nothing";
  return message.value_or(Json());
}

Json McpClient::answer(int id) {
  for (auto waiting = m_waiting.begin(); waiting != m_waiting.end(); ++waiting) {
    if (waiting->is_object() && waiting->value("id", Json()) == id) {
      auto message = *waiting;
      m_waiting.erase(waiting);
      return message;
    }
  }
  while (auto message = receive()) {
    if (message->is_object() && message->value("id", Json()) == id) {
      return *message;
    }
    m_waiting.push_back(*message);
  }
  ADD_FAILURE() << "no answer to request " << id;
  return nullptr;
}

Json McpClient::ask(const std::string& method, const Json& params) {
  return answer(send(method, params));
}

Json McpClient::call(const std::string& tool, const Json& arguments) {
  const auto answered = ask("tools/call", {{"name", tool}, {"arguments", arguments}});
  EXPECT_TRUE(answered.contains("result")) << tool << ": " << answered;
  return answered.value("result", Json::object());
}

Json McpClient::ok(const std::string& tool, const Json& arguments) {
  const auto result = call(tool, arguments);
  EXPECT_EQ(result.value("isError", Json()), false) << tool << ": " << result;
  return result.value("structuredContent", Json::object());
}

std::string McpClient::refused(const std::string& tool, const Json& arguments) {
  const auto result = call(tool, arguments);
  EXPECT_EQ(result.value("isError", Json()), true) << tool << ": " << result;
  return result.contains("content") ? result["content"].at(0).value("text", "") : "";
}

int McpClient::close() {
  return m_channel->close();
}

McpClient Mcp::serve(const Arguments& arguments, Revision revision) {
  if (revision.over == Over::http) {
    return {std::make_unique<HttpChannel>(serve_http(arguments)), revision};
  }
  auto to = os::make_pipe();
  auto from = os::make_pipe();
  os::Command command{.argv = {(bin / "pyro").string(), "mcp", "serve"}, .env = environment({})};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.cwd = project().string();
  command.fds = {{0, to.read_end.get()}, {1, from.write_end.get()}, {2, 2}};
  return {
      std::make_unique<StdioChannel>(os::spawn(command), std::move(to.write_end), std::move(from.read_end)),
      revision};
}

HttpServing Mcp::serve_http(const Arguments& arguments) {
  const auto said = root() / "serving";
  const auto error = os::open_file(said.string(), O_CREAT | O_TRUNC | O_WRONLY);
  os::Command command{.argv = {(bin / "pyro").string(), "mcp", "serve"}, .env = environment({})};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  if (std::find(arguments.begin(), arguments.end(), "--http") == arguments.end()) {
    command.argv.insert(command.argv.end(), {"--http", "127.0.0.1:0"});
  }
  command.cwd = project().string();
  command.fds = {{2, error.get()}};
  HttpServing serving{os::spawn(command)};
  std::smatch found;
  std::string text;
  EXPECT_TRUE(eventually(
      [&] {
        text = read_file(said);
        return std::regex_search(text, found, std::regex("serving MCP at http://[0-9.]+:([0-9]+)/mcp\n"));
      },
      60))
      << text;
  serving.port = found.empty() ? 0 : std::stoi(found[1]);
  if (std::regex_search(text, found, std::regex("the token is in (.*)\n"))) {
    serving.token = read_file(std::string(found[1]));
    serving.token.pop_back();
  }
  return serving;
}

void Mcp::small_project(const std::string& body) {
  make_busybox_root(project() / "image");
  write_file(project() / "seed/file", "seed\n");
  write_file(
      project() / "pyro.yaml",
      "version: 1\nname: test\nenvironment: {image: 'dir:./image'}\nseed: {from: ./seed}\n" + body);
}

} // namespace pyro::testing
