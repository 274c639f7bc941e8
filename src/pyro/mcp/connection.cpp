#include "connection.hpp"

#include <utility>

namespace pyro::mcp {

Request::Request(Connection& connection, Json id, Json progress_token)
    : m_connection(connection), m_id(std::move(id)), m_progress_token(std::move(progress_token)) {
}

void Request::send_last(const Json& message) {
  {
    const std::lock_guard guard(m_mutex);
    if (std::exchange(m_is_over, true)) {
      return;
    }
  }
  m_connection.requests()->close(m_id);
  if (m_is_cancelled) {
    m_connection.tell_withdrawn();
  } else {
    m_connection.send(message);
  }
}

void Request::answer(Json result) {
  send_last(result_message(m_id, std::move(result)));
}

void Request::fail(const RpcError& error) {
  send_last(error_message(m_id, error));
}

void Request::tell_progress(const std::string& line) {
  const std::lock_guard guard(m_mutex);
  if (m_is_over || m_is_cancelled || m_progress_token.is_null()) {
    return;
  }
  m_connection.send(notification(
      "notifications/progress",
      {{"progressToken", m_progress_token}, {"progress", ++m_progress}, {"message", line}}));
}

void Request::cancel() {
  m_is_cancelled = true;
}

std::shared_ptr<Request> Requests::open(Connection& connection, const Json& id, const Json& progress_token) {
  auto request = std::make_shared<Request>(connection, id, progress_token);
  const std::lock_guard guard(m_mutex);
  if (!m_requests.emplace(id, request).second) {
    throw RpcError(k_invalid_request, "a request with this id is in flight");
  }
  return request;
}

std::shared_ptr<Request> Requests::find(const Json& id) const {
  const std::lock_guard guard(m_mutex);
  const auto found = m_requests.find(id);
  return found == m_requests.end() ? nullptr : found->second;
}

void Requests::close(const Json& id) {
  const std::lock_guard guard(m_mutex);
  m_requests.erase(id);
}

void Requests::cancel() {
  const std::lock_guard guard(m_mutex);
  for (const auto& [id, request] : m_requests) {
    request->cancel();
  }
}

bool Requests::empty() const {
  const std::lock_guard guard(m_mutex);
  return m_requests.empty();
}

Connection::Connection(Outlet outlet, std::shared_ptr<Requests> requests)
    : m_outlet(std::move(outlet)), m_requests(std::move(requests)) {
}

void Connection::send(const Json& message) {
  const std::lock_guard guard(m_send_mutex);
  m_outlet.send(message);
}

std::function<void(const Json& message)>
Connection::notices_of(const std::shared_ptr<Connection>& connection) {
  if (connection->m_outlet.notify) {
    return connection->m_outlet.notify;
  }
  return [connection](const Json& message) {
    connection->send(message);
  };
}

void Connection::tell_withdrawn() {
  const std::lock_guard guard(m_send_mutex);
  m_outlet.withdrawn();
}

} // namespace pyro::mcp
