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
  m_connection.close(m_id);
  if (!m_is_cancelled) {
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

Connection::Connection(std::function<void(const Json&)> send) : m_send(std::move(send)) {
}

void Connection::send(const Json& message) {
  const std::lock_guard guard(m_send_mutex);
  m_send(message);
}

std::shared_ptr<Request> Connection::open(const Json& id, const Json& progress_token) {
  auto request = std::make_shared<Request>(*this, id, progress_token);
  const std::lock_guard guard(m_mutex);
  if (!m_requests.emplace(id, request).second) {
    throw RpcError(k_invalid_request, "a request with this id is in flight");
  }
  return request;
}

std::shared_ptr<Request> Connection::find(const Json& id) const {
  const std::lock_guard guard(m_mutex);
  const auto found = m_requests.find(id);
  return found == m_requests.end() ? nullptr : found->second;
}

void Connection::close(const Json& id) {
  const std::lock_guard guard(m_mutex);
  m_requests.erase(id);
}

} // namespace pyro::mcp
