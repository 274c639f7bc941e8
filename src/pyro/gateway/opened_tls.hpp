// A connection whose TLS is opened, because a secret is for its host: TLS with the client by a certificate of
// the gateway's authority, TLS with the real server, and HTTP/1 between them (docs/decisions/0078).
#pragma once

#include "authority.hpp"
#include "http_exchange.hpp"
#include "request_check.hpp"
#include "request_secrets.hpp"
#include "tls_stream.hpp"
#include "traffic.hpp"

#include <functional>
#include <optional>
#include <string>

namespace pyro::gateway {

/// Secrets, and what opens TLS for them; outlives the connections.
struct Opening {
  RequestSecrets secrets;
  std::unique_ptr<Authority> authority;
  std::unique_ptr<TrustedServers> servers;
};

class OpenedTls {
public:
  enum class State {
    waiting,
    more,      // it has moved much; others may have their turn
    lingering, // all is said: the client may read it
    ended,
    broken,
  };

  enum class Event { used, denied, failed };
  /// `used`: the secret of that name was put into a request; the others with a reason.
  using Tell = std::function<void(Event event, const std::string& text)>;

  /// `client` and `server` are connected and stay the caller's; `first`: what the client said already;
  /// `bytes`: counts what goes and comes inside TLS.
  OpenedTls(
      Opening& opening, int client, int server, Origin origin, std::string_view first, Traffic::Bytes& bytes,
      Tell tell);

  /// As far as it goes now.
  State step();

  /// Has each side shown who it is?
  bool is_open() const { return m_is_client_up && (m_is_server_up || !m_server_trouble.empty()); }

private:
  HttpExchange::Looks looks();
  void look_at_request(RequestHead& head);
  bool open();
  bool read_client();
  bool read_server();
  bool send();
  State finish();

  Opening& m_opening;
  Traffic::Bytes& m_bytes;
  int m_client_socket;
  Origin m_origin;
  Tell m_tell;
  TlsStream m_client;
  TlsStream m_server;
  HttpExchange m_exchange;
  bool m_is_client_up = false;
  bool m_is_server_up = false;
  bool m_is_cut_off = false; // the server's end did not say that it is one
  bool m_has_failed = false; // with the client
  bool m_is_closed = false;
  std::string m_server_trouble; // why it cannot be talked to
  std::size_t m_moved = 0;      // in this step
};

} // namespace pyro::gateway
