#include "http_channel.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <poll.h>

namespace pyro::testing {

namespace {

constexpr int k_channel_patience_ms = 120'000;
constexpr const char* k_revision_key = "io.modelcontextprotocol/protocolVersion";

} // namespace

HttpChannel::HttpChannel(HttpServing serving) : m_serving(std::move(serving)) {
}

HttpFields HttpChannel::fields_of(const Json& message) const {
  HttpFields fields{
      {"Host", "127.0.0.1:" + std::to_string(m_serving.port)},
      {"Authorization", "Bearer " + m_serving.token},
      {"Accept", "application/json, text/event-stream"}};
  if (!message.is_null()) {
    fields["Content-Type"] = "application/json";
  }
  if (!m_session.empty()) {
    fields["Mcp-Session-Id"] = m_session;
    fields["MCP-Protocol-Version"] = m_revision;
  }
  const auto params = message.is_object() ? message.value("params", Json::object()) : Json::object();
  if (const auto meta = params.value("_meta", Json::object()); meta.contains(k_revision_key)) {
    fields["MCP-Protocol-Version"] = meta.value(k_revision_key, "");
    fields["Mcp-Method"] = message.value("method", "");
    const auto name = params.value("name", params.value("uri", ""));
    if (!name.empty()) {
      fields["Mcp-Name"] = name;
    }
  }
  return fields;
}

HttpWire HttpChannel::post(const HttpFields& fields, const std::string& body) const {
  auto connection = wire();
  connection.write(http_request("POST", "/mcp", fields, body));
  return connection;
}

void HttpChannel::send(const Json& message) {
  m_sent.push_back({post(fields_of(message), message.dump()), message, 0});
  if (!message.contains("id")) {
    const auto reply = m_sent.back().wire.reply();
    EXPECT_EQ(reply.status, 202) << reply;
    EXPECT_EQ(reply.body, "");
    m_sent.pop_back();
  }
}

std::optional<Json> HttpChannel::next_of(Sent& sent) {
  const auto reply = sent.wire.so_far();
  if (reply.fields.contains("mcp-session-id")) {
    m_session = reply.fields.at("mcp-session-id");
  }
  const auto found = reply.fields.find("content-type");
  if (found != reply.fields.end() && found->second == "text/event-stream") {
    const auto events = reply.events();
    return sent.taken < events.size() ? std::optional(events[sent.taken++]) : std::nullopt;
  }
  if (!reply.is_closed || sent.taken > 0) {
    return std::nullopt;
  }
  ++sent.taken;
  auto document = reply.json();
  EXPECT_FALSE(document.is_discarded()) << reply;
  if (sent.message.value("method", "") == "initialize" && document.contains("result")) {
    m_revision = document["result"].value("protocolVersion", "");
  }
  return document;
}

std::optional<Json> HttpChannel::receive() {
  while (true) {
    std::vector<pollfd> watched;
    for (auto sent = m_sent.begin(); sent != m_sent.end();) {
      if (auto message = next_of(*sent)) {
        return message;
      }
      if (sent->wire.so_far().is_closed) {
        sent = m_sent.erase(sent);
      } else {
        watched.push_back({sent->wire.fd(), POLLIN, 0});
        ++sent;
      }
    }
    if (watched.empty() || ::poll(watched.data(), watched.size(), k_channel_patience_ms) <= 0) {
      return std::nullopt;
    }
    for (auto& sent : m_sent) {
      sent.wire.read(0);
    }
  }
}

void HttpChannel::listen() {
  auto fields = fields_of(nullptr);
  fields["Accept"] = "text/event-stream";
  auto stream = wire();
  stream.write(http_request("GET", "/mcp", fields, ""));
  while (stream.so_far().status == 0 && stream.read(k_channel_patience_ms)) {
  }
  EXPECT_EQ(stream.so_far().status, 200);
  m_sent.push_back({std::move(stream), Json::object(), 0});
}

void HttpChannel::leave_last() {
  m_sent.pop_back();
}

int HttpChannel::close() {
  m_serving.child.signal(SIGTERM);
  return m_serving.child.wait().shell_status();
}

} // namespace pyro::testing
