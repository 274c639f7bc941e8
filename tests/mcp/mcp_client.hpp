// A client of `pyro mcp serve`, over pipes or HTTP, that keeps what was said, and the fixture of its tests.
#pragma once

#include "../support/busybox.hpp"
#include "../support/holding.hpp"
#include "../support/home.hpp"
#include "http_channel.hpp"
#include "stdio_channel.hpp"

#include <deque>
#include <memory>
#include <optional>

namespace pyro::testing {

enum class Over { stdio, http };

/// Which revision a client speaks, and how.
struct Revision {
  const char* name;
  bool is_modern;
  Over over = Over::stdio;
};

std::ostream& operator<<(std::ostream& out, const Revision& revision);
/// "2026_07_28", "2026_07_28_http": as a part of the name of a test.
std::string test_name_of(const ::testing::TestParamInfo<Revision>& revision);

class McpClient {
public:
  McpClient(std::unique_ptr<Channel> channel, Revision revision);

  /// Legacy: initialize and its notification. Modern: server/discover. The result.
  Json begin();

  /// Sends a request, with `_meta` where the revision wants it. Its id.
  int send(const std::string& method, Json params = Json::object());
  void notify(const std::string& method, Json params = Json::object());
  /// Bytes as they are, on stdio.
  void write(std::string_view bytes);

  /// The answer to that request; what else comes meanwhile is kept. Fails the test and returns null after a
  /// while.
  Json answer(int id);
  /// The next message that is not taken yet.
  Json next();

  /// send() and answer().
  Json ask(const std::string& method, const Json& params = Json::object());
  /// tools/call: its result; fails the test where the answer is an error of the protocol.
  Json call(const std::string& tool, const Json& arguments = Json::object());
  /// The structured content of a call that must succeed.
  Json ok(const std::string& tool, const Json& arguments = Json::object());
  /// The text of a call that must end with isError.
  std::string refused(const std::string& tool, const Json& arguments = Json::object());

  /// Ends the input, or over HTTP the server; its exit status.
  int close();

  os::Child& process() { return m_channel->process(); }

  HttpChannel& http() { return dynamic_cast<HttpChannel&>(*m_channel); }

  /// Every message of the server so far, in the order of arrival.
  const std::vector<Json>& heard() const { return m_heard; }

  /// What is sent with requests as clientCapabilities.
  Json capabilities = Json::object();

private:
  std::optional<Json> receive();

  std::unique_ptr<Channel> m_channel;
  Revision m_revision;
  int m_last_id = 0;
  std::deque<Json> m_waiting;
  std::vector<Json> m_heard;
};

class Mcp : public Functional {
protected:
  McpClient serve(const Arguments& arguments = {}, Revision revision = {"2025-11-25", false});
  /// At a free port of the loopback interface unless the arguments say --http, with a token that it made.
  HttpServing serve_http(const Arguments& arguments = {});
  /// A small system in the project, and its pyro.yaml with this body.
  void small_project(const std::string& body = "");
};

} // namespace pyro::testing
