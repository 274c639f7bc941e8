#include "opened_tls.hpp"

#include "stream_socket.hpp"

#include <pyro/base/error.hpp>

#include <sys/socket.h>

namespace pyro::gateway {

namespace {

constexpr std::size_t k_most_per_step = 4 << 20;

} // namespace

OpenedTls::OpenedTls(
    Opening& opening, int client, int server, Origin origin, std::string_view first, Traffic::Bytes& bytes,
    Tell tell)
    : m_opening(opening), m_bytes(bytes), m_client_socket(client), m_origin(std::move(origin)),
      m_tell(std::move(tell)),
      m_client(TlsStream::accept(opening.authority->server_context(m_origin.host), client, first)),
      m_server(TlsStream::connect(opening.servers->client_context(), server, m_origin.host)),
      m_exchange(looks()) {
}

HttpExchange::Looks OpenedTls::looks() {
  return {
      [this](RequestHead& head) { look_at_request(head); },
      [this](ResponseHead& head) {
        m_opening.secrets.take_out(head);
      }};
}

void OpenedTls::look_at_request(RequestHead& head) {
  try {
    check_request(head, m_origin);
    if (!m_server_trouble.empty()) {
      throw Error(ErrorCode::unavailable, "{}", m_server_trouble);
    }
    for (const auto& name : m_opening.secrets.put_into(head, m_origin.host, m_origin.port)) {
      m_tell(Event::used, name);
    }
  } catch (const Error& error) {
    m_tell(error.code() == ErrorCode::permission ? Event::denied : Event::failed, error.message());
    throw;
  }
}

/// False: one of them is still at it, or the client is gone.
bool OpenedTls::open() {
  if (!m_is_client_up) {
    const auto state = m_client.handshake();
    if (state == TlsStream::Handshake::failed) {
      m_tell(
          Event::failed,
          fmt::format(
              "the client does not take the certificate of the gateway, or speaks no HTTP/1.1: {}",
              m_client.trouble()));
      m_has_failed = true;
      return false;
    }
    m_is_client_up = state == TlsStream::Handshake::done;
  }
  if (!m_is_server_up && m_server_trouble.empty()) {
    const auto state = m_server.handshake();
    if (state == TlsStream::Handshake::failed) {
      m_server_trouble = fmt::format(
          "{} has no certificate that this machine trusts, or speaks no TLS: {}", m_origin.host,
          m_server.trouble());
    }
    m_is_server_up = state == TlsStream::Handshake::done;
  }
  return is_open();
}

/// False: nothing came.
bool OpenedTls::read_client() {
  if (!m_exchange.wants_client()) {
    return false;
  }
  const auto bytes = m_client.read();
  if (bytes) {
    m_moved += bytes->size();
    m_exchange.from_client(*bytes);
  }
  return bytes.has_value();
}

bool OpenedTls::read_server() {
  if (!m_is_server_up || !m_exchange.wants_server()) {
    return false;
  }
  const auto bytes = m_server.read();
  if (bytes) {
    m_moved += bytes->size();
    m_bytes.received += bytes->size();
    m_is_cut_off = bytes->empty() && !m_server.is_cleanly_ended();
    m_exchange.from_server(*bytes);
  }
  return bytes.has_value();
}

/// False: one of them is gone.
bool OpenedTls::send() {
  const auto before = m_exchange.to_server().size();
  const bool is_server_there =
      !m_is_server_up || m_exchange.to_server().empty() || m_server.write_front(m_exchange.to_server());
  m_bytes.sent += before - m_exchange.to_server().size();
  if (!is_server_there) {
    m_exchange.to_server().clear(); // what it has answered is still read
  }
  return m_exchange.to_client().empty() || m_client.write_front(m_exchange.to_client());
}

OpenedTls::State OpenedTls::step() {
  m_moved = 0;
  if (m_is_closed) {
    return finish();
  }
  if (m_has_failed || (!is_open() && !open())) {
    return m_has_failed ? State::broken : State::waiting;
  }
  while (true) {
    const auto left = m_exchange.to_client().size() + m_exchange.to_server().size();
    if (!send()) {
      return State::broken;
    }
    const bool went = m_exchange.to_client().size() + m_exchange.to_server().size() < left;
    if (m_exchange.is_over() && m_exchange.to_client().empty()) {
      return finish();
    }
    const bool of_client = read_client();
    const bool of_server = read_server();
    if (!of_client && !of_server && !went) {
      return State::waiting;
    }
    if (m_moved > k_most_per_step) {
      return State::more;
    }
  }
}

/// A socket that is closed with unread bytes takes with it what was sent.
OpenedTls::State OpenedTls::finish() {
  if (m_exchange.is_broken()) {
    return State::broken;
  }
  if (!m_is_closed) {
    m_is_closed = true;
    if (!m_is_cut_off) { // else the client sees what we saw
      m_client.close();
    }
    ::shutdown(m_client_socket, SHUT_WR);
  }
  while (const auto bytes = receive(m_client_socket)) {
    if (bytes->empty()) {
      return State::ended;
    }
  }
  return State::lingering;
}

} // namespace pyro::gateway
