#include "mcp_client.hpp"

#include <algorithm>
#include <array>
#include <poll.h>
#include <unistd.h>

namespace pyro::testing {

namespace {

constexpr int k_patience_ms = 120'000;

} // namespace

std::ostream& operator<<(std::ostream& out, const Revision& revision) {
  return out << revision.name;
}

std::string test_name_of(const ::testing::TestParamInfo<Revision>& revision) {
  std::string name = revision.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

McpClient::McpClient(os::Child child, os::Fd to_server, os::Fd from_server, Revision revision)
    : m_child(std::move(child)), m_to_server(std::move(to_server)), m_from_server(std::move(from_server)),
      m_revision(revision) {
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
  os::write_all(m_to_server.get(), bytes);
}

int McpClient::send(const std::string& method, Json params) {
  if (m_revision.is_modern) {
    params["_meta"]["io.modelcontextprotocol/protocolVersion"] = m_revision.name;
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = capabilities;
  }
  write(Json{{"jsonrpc", "2.0"}, {"id", ++m_last_id}, {"method", method}, {"params", params}}.dump() + "\n");
  return m_last_id;
}

void McpClient::notify(const std::string& method, Json params) {
  write(Json{{"jsonrpc", "2.0"}, {"method", method}, {"params", std::move(params)}}.dump() + "\n");
}

std::optional<Json> McpClient::receive() {
  auto end = std::string::npos;
  while ((end = m_unread.find('\n')) == std::string::npos) {
    pollfd watched{m_from_server.get(), POLLIN, 0};
    if (::poll(&watched, 1, k_patience_ms) <= 0) {
      return std::nullopt;
    }
    std::array<char, 65536> buffer{};
    const auto count = ::read(m_from_server.get(), buffer.data(), buffer.size());
    if (count <= 0) {
      return std::nullopt;
    }
    m_unread.append(buffer.data(), static_cast<std::size_t>(count));
  }
  auto message = Json::parse(m_unread.substr(0, end), nullptr, false);
  EXPECT_FALSE(message.is_discarded()) << m_unread.substr(0, end);
  m_unread.erase(0, end + 1);
  m_heard.push_back(message);
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
  m_to_server.reset();
  return m_child.wait().shell_status();
}

McpClient Mcp::serve(const Arguments& arguments, Revision revision) {
  auto to = os::make_pipe();
  auto from = os::make_pipe();
  os::Command command{.argv = {(bin / "pyro").string(), "mcp", "serve"}, .env = environment({})};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.cwd = project().string();
  command.fds = {{0, to.read_end.get()}, {1, from.write_end.get()}, {2, 2}};
  return {os::spawn(command), std::move(to.write_end), std::move(from.read_end), revision};
}

void Mcp::small_project(const std::string& body) {
  make_busybox_root(project() / "image");
  write_file(project() / "seed/file", "seed\n");
  write_file(
      project() / "pyro.yaml",
      "version: 1\nname: test\nenvironment: {image: 'dir:./image'}\nseed: {from: ./seed}\n" + body);
}

} // namespace pyro::testing
