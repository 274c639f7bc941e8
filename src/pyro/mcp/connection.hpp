// One client: where its answers go, and which of its requests are in flight.
#pragma once

#include "json_rpc.hpp"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

namespace pyro::mcp {

class Connection;

/// A request between its arrival and its answer. Exactly one answer is sent; progress only before it.
class Request {
public:
  Request(Connection& connection, Json id, Json progress_token);

  void answer(Json result);
  void fail(const RpcError& error);
  /// Nothing where no progress is wanted or the answer is given.
  void tell_progress(const std::string& line);

  /// The client withdrew it: it is not answered.
  void cancel();

  bool is_cancelled() const { return m_is_cancelled; }

private:
  void send_last(const Json& message);

  Connection& m_connection;
  const Json m_id;
  const Json m_progress_token;
  std::atomic<bool> m_is_cancelled = false;
  std::mutex m_mutex; // for all below
  bool m_is_over = false;
  int m_progress = 0;
};

class Connection {
public:
  /// `send` is called by one thread at a time.
  explicit Connection(std::function<void(const Json& message)> send);

  void send(const Json& message);

  /// Throws RpcError(k_invalid_request) where a request of this id is in flight.
  std::shared_ptr<Request> open(const Json& id, const Json& progress_token);
  /// nullptr: none in flight.
  std::shared_ptr<Request> find(const Json& id) const;
  void close(const Json& id);

private:
  std::function<void(const Json&)> m_send;
  std::mutex m_send_mutex;
  mutable std::mutex m_mutex; // for all below
  std::map<Json, std::shared_ptr<Request>> m_requests;
};

} // namespace pyro::mcp
