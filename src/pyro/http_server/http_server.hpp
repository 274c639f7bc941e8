// An HTTP/1.1 server on one listener (libmicrohttpd), bounded in all that a client can send, hold or keep
// waiting. What is served is the handler's. For calls of ours see http/unix_http_client.hpp; for the agent's
// channel protocol/session.hpp.
#pragma once

#include "exchange.hpp"

#include <pyro/os/fd.hpp>

#include <chrono>
#include <functional>

namespace pyro::http_server {

/// Called by the server's threads; none may block.
struct Handler {
  /// The request without its body: an answer here is all there is, and the body is not read.
  std::function<std::optional<Answer>(const HttpRequest&)> refusal;
  /// The whole request.
  std::function<void(const std::shared_ptr<Exchange>&)> begin;
};

struct Limits {
  std::size_t header_bytes = 32 << 10;
  std::size_t body_bytes = 64 << 20;
  /// Where there are nearly as many, who has waited longest without a whole request gives way.
  unsigned connections = 256;
  /// From the end of one request to that of the next, or from the connection's begin: who is slower, sends
  /// bit by bit, or is idle has to connect again.
  std::chrono::milliseconds request_time{60'000};
  /// A client that takes nothing of what is sent to it for so long is left.
  std::chrono::seconds send_time{60};
  /// Streams in which nothing is said for so long get their filler.
  std::chrono::milliseconds filler_time{15'000};
};

class HttpServer {
public:
  HttpServer(os::Fd listener, Handler handler, Limits limits = {});
  /// Leaves all clients; no callback runs afterwards.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Nobody can connect any more; who is connected stays.
  void close_listener();
  /// False: some have not got their answers after so long.
  bool wait_for_answers(std::chrono::milliseconds patience);

private:
  class State;
  std::unique_ptr<State> m_state;
};

} // namespace pyro::http_server
