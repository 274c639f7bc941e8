// The requests of one HTTP/1 connection (RFC 9112) as they pass by: each must be for the host that the
// connection was made to, and without placeholders of secrets, whose values do not go into clear text. What
// passes is passed on as it came.
#pragma once

#include "request_secrets.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pyro::gateway {

/// Do these first bytes begin a request? nullopt: there are too few to tell.
std::optional<bool> begins_http_request(std::string_view bytes);

class HttpRequests {
public:
  /// `secrets`: outlives it; a placeholder of one is refused.
  HttpRequests(std::string host, std::uint16_t port, const RequestSecrets& secrets);
  ~HttpRequests();
  HttpRequests(const HttpRequests&) = delete;
  HttpRequests& operator=(const HttpRequests&) = delete;

  /// The next bytes of the client. Returns those of all so far that may go on now, in order; the rest waits
  /// for more. Throws Error(permission) that says which request is refused and why: nothing more may pass
  /// then.
  std::string feed(std::string_view bytes);

  /// The first request asks for another protocol (a web socket): whatever follows it waits for the server's
  /// answer.
  bool waits_for_upgrade() const;
  /// The server's answer to that. Returns what may go on now, as feed() does.
  std::string answered(bool switches);

private:
  struct Impl;
  std::unique_ptr<Impl> m_impl;
};

/// Of a server's answer to a request for another protocol.
enum class UpgradeAnswer { unknown, switches, stays };

/// The first bytes of what the server says; answers that announce others (100, 103) are passed over.
UpgradeAnswer upgrade_answer_in(std::string_view bytes);

} // namespace pyro::gateway
