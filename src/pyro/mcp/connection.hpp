// Where answers go, and which requests are in flight: on stdio one of each for the client; over HTTP a
// connection for each message of a client, and the requests of a legacy session together.
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

/// Those that are not answered yet, by their ids.
class Requests {
public:
  /// Throws RpcError(k_invalid_request) where a request of this id is in flight.
  std::shared_ptr<Request> open(Connection& connection, const Json& id, const Json& progress_token);
  /// nullptr: none in flight.
  std::shared_ptr<Request> find(const Json& id) const;
  void close(const Json& id);
  /// Withdraws all.
  void cancel();
  bool empty() const;

private:
  mutable std::mutex m_mutex; // for all below
  std::map<Json, std::shared_ptr<Request>> m_requests;
};

/// What happens to the messages for a client, each called by one thread at a time.
struct Outlet {
  std::function<void(const Json& message)> send;
  /// A request that came this way was withdrawn: it is not answered.
  std::function<void()> withdrawn = [] {
  };
  /// A notice that is part of no request's answer; it may come when the connection has gone. Absent: `send`.
  std::function<void(const Json& message)> notify = {};
};

class Connection {
public:
  explicit Connection(Outlet outlet, std::shared_ptr<Requests> requests = std::make_shared<Requests>());

  void send(const Json& message);
  void tell_withdrawn();
  /// Where notices go from now on, until the client has gone.
  static std::function<void(const Json& message)> notices_of(const std::shared_ptr<Connection>& connection);

  const std::shared_ptr<Requests>& requests() const { return m_requests; }

private:
  Outlet m_outlet;
  std::mutex m_send_mutex;
  std::shared_ptr<Requests> m_requests;
};

} // namespace pyro::mcp
