// Where the HTTP transport listens: `--http ADDR`.
#pragma once

#include <pyro/os/fd.hpp>

#include <string>
#include <string_view>

namespace pyro::mcp {

struct HttpAddress {
  std::string unix_path; // empty: `ip` and `port`
  std::string ip;
  int port = 0; // 0: a free one

  bool is_loopback() const;
};

/// "127.0.0.1:8931", "[::1]:8931", "localhost:8931", ":8931" (loopback), "unix:/path". Throws Error(usage).
HttpAddress parse_http_address(std::string_view text);

/// IPv4 or IPv6, without brackets.
bool is_ip(const std::string& text);

/// Listens there; a free port is filled in. A file that is no socket, or a socket somebody listens at, is
/// left alone: Error(already_exists).
os::Fd listen_at(HttpAddress& address);

/// "http://127.0.0.1:8931/mcp", "unix:/path".
std::string url_of(const HttpAddress& address);

} // namespace pyro::mcp
