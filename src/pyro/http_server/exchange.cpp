#include "exchange.hpp"

namespace pyro::http_server {

std::optional<std::string> HttpRequest::field(const std::string& name) const {
  const auto found = fields.find(name);
  return found == fields.end() ? std::nullopt : std::optional(found->second);
}

void Exchange::answer(Answer answer) {
  const std::lock_guard guard(m_mutex);
  if (m_phase != Phase::open) {
    return;
  }
  m_answer = std::move(answer);
  m_phase = Phase::whole;
  wake();
}

void Exchange::begin_stream(Answer head, std::string filler) {
  const std::lock_guard guard(m_mutex);
  if (m_phase != Phase::open) {
    return;
  }
  m_answer = std::move(head);
  m_filler = std::move(filler);
  m_unsent = m_filler; // or the head would wait for what comes first
  m_phase = Phase::streaming;
  wake();
}

void Exchange::write(std::string_view bytes) {
  const std::lock_guard guard(m_mutex);
  if (m_phase != Phase::streaming || m_is_gone) {
    return;
  }
  m_unsent += bytes;
  wake();
}

void Exchange::end_stream() {
  const std::lock_guard guard(m_mutex);
  if (m_phase == Phase::streaming) {
    m_phase = Phase::ended;
    wake();
  }
}

void Exchange::when_gone(std::function<void()> callback) {
  {
    const std::lock_guard guard(m_mutex);
    if (!m_is_gone) {
      m_when_gone = std::move(callback);
      return;
    }
  }
  callback();
}

std::size_t Exchange::waiting_bytes() const {
  const std::lock_guard guard(m_mutex);
  return m_unsent.size();
}

bool Exchange::is_streaming() const {
  const std::lock_guard guard(m_mutex);
  return m_phase == Phase::streaming;
}

} // namespace pyro::http_server
