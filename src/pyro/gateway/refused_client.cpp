#include "refused_client.hpp"

#include "first_bytes.hpp"
#include "stream_socket.hpp"

#include <sys/socket.h>

namespace pyro::gateway {

RefusedClient::RefusedClient(int socket, Language language, RefusalKind kind, std::string reason)
    : m_socket(socket), m_language(language), m_kind(kind), m_reason(std::move(reason)) {
}

RefusedClient::State RefusedClient::step() {
  if (!m_answer) {
    if (m_language == Language::unknown && !learn_language()) {
      return State::waiting;
    }
    m_answer = refusal_for(m_language, m_kind, m_reason);
    if (m_answer->empty()) {
      return State::gone;
    }
  }
  if (!send_front(m_socket, *m_answer)) {
    return State::gone;
  }
  if (!m_answer->empty()) {
    return State::waiting;
  }
  ::shutdown(m_socket, SHUT_WR);
  return drain();
}

/// False: it has said too little.
bool RefusedClient::learn_language() {
  while (m_language == Language::unknown && !m_is_at_end) {
    const auto bytes = receive(m_socket);
    if (!bytes) {
      return false;
    }
    m_is_at_end = bytes->empty();
    m_heard += *bytes;
    m_language = FirstBytes::language_of(m_heard).value_or(Language::unknown);
  }
  return true;
}

/// A socket that is closed with unread bytes takes with it what was sent.
RefusedClient::State RefusedClient::drain() {
  while (const auto bytes = receive(m_socket)) {
    if (bytes->empty()) {
      return State::ended;
    }
  }
  return State::waiting;
}

} // namespace pyro::gateway
