// Sessions of the legacy era over HTTP: what one client began with `initialize`. The modern era has none.
#pragma once

#include "connection.hpp"

#include <pyro/http_server/exchange.hpp>

#include <chrono>
#include <set>
#include <string>

namespace pyro::mcp {

/// Progress and notices are not told to who does not read what was.
inline constexpr std::size_t k_most_unread = 1U << 20U;

struct HttpSession {
  std::string id;
  std::string revision;
  std::shared_ptr<Requests> requests = std::make_shared<Requests>();
  std::chrono::steady_clock::time_point last_use = std::chrono::steady_clock::now();
  std::shared_ptr<http_server::Exchange> stream; // where the client listens; nullptr: nowhere
  std::set<std::string> untold;                  // notices for when it does
};

class HttpSessions {
public:
  /// Beyond a number of them one ends: the one that was used longest ago, rather one that waits for nothing.
  std::string begin(std::string revision);

  /// nullptr: there is none, or it has ended.
  std::shared_ptr<HttpSession> use(const std::string& id);

  /// The client listens there from now on; an earlier stream ends. False: there is no such session.
  bool listen(const std::string& id, const std::shared_ptr<http_server::Exchange>& stream);
  /// A notice, as an event of a stream: at once where the client listens, else once it does; the same one
  /// only once. Nothing where there is no such session.
  void notify(const std::string& id, const std::string& event);
  /// Its stream has begun.
  void tell_untold(const std::string& id);
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
