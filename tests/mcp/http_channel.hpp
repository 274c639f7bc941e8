// A client over HTTP as the specification wants it: each message a POST of its own, on a connection of its
// own.
#pragma once

#include "channel.hpp"
#include "http_wire.hpp"

#include <list>

namespace pyro::testing {

/// `pyro mcp serve --http 127.0.0.1:0` that runs, as it says itself.
struct HttpServing {
  os::Child child;
  int port = 0;
  std::string token;
};

class HttpChannel : public Channel {
public:
  explicit HttpChannel(HttpServing serving);

  void send(const Json& message) override;
  std::optional<Json> receive() override;
  int close() override;

  os::Child& process() override { return m_serving.child; }

  /// Of a message or, where it is null, of a request without one.
  HttpFields fields_of(const Json& message) const;
  HttpWire post(const HttpFields& fields, const std::string& body) const;

  HttpWire wire() const { return HttpWire(m_serving.port); }

  const HttpServing& serving() const { return m_serving; }

  const std::string& session() const { return m_session; }

  /// Listens for notices of the session, as its GET does, and comes back once the server does its part.
  void listen();

  /// Leaves the request that was sent last, without waiting for its answer.
  void leave_last();

private:
  struct Sent {
    HttpWire wire;
    Json message;
    std::size_t taken = 0; // events
  };

  std::optional<Json> next_of(Sent& sent);

  HttpServing m_serving;
  std::string m_revision; // once initialize has agreed on it
  std::string m_session;
  std::list<Sent> m_sent;
};

} // namespace pyro::testing
