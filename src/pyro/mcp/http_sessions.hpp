// Sessions of the legacy era over HTTP: what one client began with `initialize`. The modern era has none.
#pragma once

#include "connection.hpp"

#include <pyro/http_server/exchange.hpp>

#include <chrono>
#include <string>

namespace pyro::mcp {

struct HttpSession {
  std::string id;
  std::string revision;
  std::shared_ptr<Requests> requests = std::make_shared<Requests>();
  std::chrono::steady_clock::time_point last_use = std::chrono::steady_clock::now();
  std::shared_ptr<http_server::Exchange> stream; // where the client listens; nullptr: nowhere
};

class HttpSessions {
public:
  /// Beyond a number of them one ends: the one that was used longest ago, rather one that waits for nothing.
  std::string begin(std::string revision);

  /// nullptr: there is none, or it has ended.
  std::shared_ptr<HttpSession> use(const std::string& id);

  /// The client listens there from now on; an earlier stream ends. False: there is no such session.
  bool listen(const std::string& id, const std::shared_ptr<http_server::Exchange>& stream);
  /// It does not listen there any more.
  void forget_stream(const std::string& id, const http_server::Exchange* stream);

  /// Its requests are withdrawn and its stream ends.
  void end(const std::string& id);
  void end_all();

private:
  using All = std::map<std::string, std::shared_ptr<HttpSession>>;

  static void close(HttpSession& session);
  void make_room();

  std::mutex m_mutex; // for all below
  All m_sessions;
};

} // namespace pyro::mcp
