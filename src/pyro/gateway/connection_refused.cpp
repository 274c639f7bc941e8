// The part of a connection that says what became of it: to the log, and to a client that is refused.
#include "connection.hpp"

namespace pyro::gateway {

namespace {

/// Of who is refused: for saying which language it speaks, and for reading what it is told.
constexpr std::chrono::seconds k_refusal_limit{2};

} // namespace

void Connection::log(Verdict verdict, const std::string& reason, const std::string& allow) {
  const auto language = m_first.language();
  log_as(
      language == Language::tls    ? "tls"
      : language == Language::http ? "http"
                                   : "tcp",
      verdict, reason, allow);
}

void Connection::log_as(
    const char* protocol, Verdict verdict, const std::string& reason, const std::string& allow) {
  Access access;
  access.verdict = verdict;
  access.protocol = protocol;
  access.host = m_asked.host();
  access.port = m_asked.port;
  access.address = m_asked.name && m_address ? to_string(*m_address) : "";
  const auto* allowing = verdict == Verdict::denied ? nullptr : rule();
  access.rule = allowing == nullptr ? "" : egress::to_string(*allowing);
  access.reason = reason;
  access.allow = allow;
  m_common.log.add(access);
}

void Connection::refuse(RefusalKind kind, const std::string& reason, const std::string& allow) {
  log(kind == RefusalKind::denied ? Verdict::denied : Verdict::failed, reason, allow);
  m_refused.emplace(m_client.get(), m_first.language(), kind, reason);
  if (m_server) {
    m_common.loop.unwatch(m_server.get());
    m_server.reset();
  }
  if (m_has_passed) {
    reset_client(); // in the middle of something
    return;
  }
  arm(k_refusal_limit, [this] { reset_client(); });
  again();
}

void Connection::tell_refused() {
  switch (m_refused->step()) {
  case RefusedClient::State::waiting:
    break;
  case RefusedClient::State::ended:
    end();
    break;
  case RefusedClient::State::gone:
    reset_client();
    break;
  }
}

} // namespace pyro::gateway
