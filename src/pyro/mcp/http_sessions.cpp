#include "http_sessions.hpp"

#include <pyro/os/random.hpp>

#include <algorithm>
#include <utility>

namespace pyro::mcp {

namespace {

constexpr std::size_t k_most_sessions = 256;
constexpr std::size_t k_id_bytes = 32;
constexpr std::size_t k_most_untold = 64; // subscriptions of a client

} // namespace

std::string HttpSessions::begin(std::string revision) {
  const auto session = std::make_shared<HttpSession>();
  session->id = os::random_hex(k_id_bytes);
  session->revision = std::move(revision);
  const std::lock_guard guard(m_mutex);
  make_room();
  m_sessions.emplace(session->id, session);
  return session->id;
}

void HttpSessions::make_room() {
  if (m_sessions.size() < k_most_sessions) {
    return;
  }
  const auto rank = [](const HttpSession& session) {
    return std::pair(session.stream != nullptr || !session.requests->empty(), session.last_use);
  };
  const auto oldest =
      std::min_element(m_sessions.begin(), m_sessions.end(), [&](const auto& a, const auto& b) {
        return rank(*a.second) < rank(*b.second);
      });
  close(*oldest->second);
  m_sessions.erase(oldest);
}

std::shared_ptr<HttpSession> HttpSessions::use(const std::string& id) {
  const std::lock_guard guard(m_mutex);
  const auto found = m_sessions.find(id);
  if (found == m_sessions.end()) {
    return nullptr;
  }
  found->second->last_use = std::chrono::steady_clock::now();
  return found->second;
}

bool HttpSessions::listen(const std::string& id, const std::shared_ptr<http_server::Exchange>& stream) {
  const std::lock_guard guard(m_mutex);
  const auto found = m_sessions.find(id);
  if (found == m_sessions.end()) {
    return false;
  }
  if (const auto earlier = std::exchange(found->second->stream, stream)) {
    earlier->end_stream();
  }
  return true;
}

void HttpSessions::notify(const std::string& id, const std::string& event) {
  const std::lock_guard guard(m_mutex);
  const auto found = m_sessions.find(id);
  if (found == m_sessions.end()) {
    return;
  }
  auto& session = *found->second;
  if (session.stream && session.stream->is_streaming() && session.stream->waiting_bytes() < k_most_unread) {
    session.stream->write(event);
  } else if (session.untold.size() < k_most_untold) {
    session.untold.insert(event);
  }
}

void HttpSessions::tell_untold(const std::string& id) {
  const std::lock_guard guard(m_mutex);
  const auto found = m_sessions.find(id);
  if (found == m_sessions.end() || !found->second->stream) {
    return;
  }
  for (const auto& event : std::exchange(found->second->untold, {})) {
    found->second->stream->write(event);
  }
}

void HttpSessions::forget_stream(const std::string& id, const http_server::Exchange* stream) {
  const std::lock_guard guard(m_mutex);
  const auto found = m_sessions.find(id);
  if (found != m_sessions.end() && found->second->stream.get() == stream) {
    found->second->stream.reset();
  }
}

void HttpSessions::close(HttpSession& session) {
  session.requests->cancel();
  if (session.stream) {
    session.stream->end_stream();
    session.stream.reset();
  }
}

void HttpSessions::end(const std::string& id) {
  const std::lock_guard guard(m_mutex);
  const auto found = m_sessions.find(id);
  if (found != m_sessions.end()) {
    close(*found->second);
    m_sessions.erase(found);
  }
}

void HttpSessions::end_all() {
  const std::lock_guard guard(m_mutex);
  for (const auto& [id, session] : m_sessions) {
    close(*session);
  }
  m_sessions.clear();
}

} // namespace pyro::mcp
