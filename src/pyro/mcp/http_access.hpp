// Who may speak to the HTTP transport: whoever has the token, and no page of a browser, whatever its name
// resolves to.
#pragma once

#include "http_address.hpp"

#include <pyro/base/sha256.hpp>
#include <pyro/http_server/exchange.hpp>

#include <optional>

namespace pyro::mcp {

/// From a file that is regular, small and nobody else's to read; throws Error otherwise.
std::string read_token(const std::string& path);

class HttpAccess {
public:
  /// Without a token whoever reaches the socket may speak: only for Unix sockets.
  HttpAccess(HttpAddress address, const std::optional<std::string>& token);

  /// nullopt: it may be read and answered. Looks at no body.
  std::optional<http_server::Answer> refusal(const http_server::HttpRequest& request) const;

private:
  bool is_our_name(const std::string& host) const;
  bool has_token(const http_server::HttpRequest& request) const;

  HttpAddress m_address;
  std::optional<HexDigest> m_token_digest;
};

/// {"jsonrpc", "error"} of a status, which clients show.
http_server::Answer refused_with(int status, const std::string& why, http_server::Fields fields = {});

} // namespace pyro::mcp
