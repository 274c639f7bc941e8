// The part of a connection whose TLS is opened for a secret.
#include "connection.hpp"

#include <pyro/base/error.hpp>

namespace pyro::gateway {

namespace {

/// Of a client that reads what it was told last.
constexpr std::chrono::seconds k_linger_limit{2};

} // namespace

void Connection::open_tls() {
  m_opened = std::make_unique<OpenedTls>(
      m_common.opening, m_client.get(), m_server.get(), Origin{"https", *m_asked.name, m_asked.port},
      m_to_server, *m_bytes,
      [this](OpenedTls::Event event, const std::string& text) { log_opened(event, text); });
  m_to_server.clear();
}

void Connection::carry_opened() {
  const auto state = m_opened->step();
  if (m_timer != 0 && m_opened->is_open() && !m_is_lingering) {
    m_common.loop.cancel(m_timer);
    m_timer = 0;
  }
  switch (state) {
  case OpenedTls::State::waiting:
    break;
  case OpenedTls::State::more:
    again();
    break;
  case OpenedTls::State::lingering:
    if (!m_is_lingering) {
      m_is_lingering = true;
      arm(k_linger_limit, [this] { reset_client(); });
    }
    break;
  case OpenedTls::State::ended:
    end();
    break;
  case OpenedTls::State::broken:
    reset_client();
    break;
  }
}

void Connection::log_opened(OpenedTls::Event event, const std::string& text) {
  if (event == OpenedTls::Event::used) {
    log_as("https", Verdict::allowed, fmt::format("with the secret {}", text));
  } else {
    log_as("https", event == OpenedTls::Event::denied ? Verdict::denied : Verdict::failed, text);
  }
}

} // namespace pyro::gateway
