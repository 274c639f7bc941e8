// HTTP/1.1 calls over a Unix socket, as virtual machine monitors and daemons of this machine offer them
// (libcurl). For the agent's channel see protocol/session.hpp.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace pyro::http {

struct Request {
  std::string method; // "PUT"
  std::string path;   // "/actions"
  std::string body;   // JSON; empty: none is sent
};

struct Answer {
  long status = 0;
  std::string body;
};

struct Limits {
  std::chrono::milliseconds time{10'000};
  std::size_t header_bytes = 64 << 10;
  std::size_t body_bytes = 1 << 20;
};

/// One connection per call. No redirects, no proxies, nothing but HTTP.
class UnixHttpClient {
public:
  explicit UnixHttpClient(std::string socket_path, Limits limits = {});

  /// Any status is an answer. Throws Error: unavailable (nobody listens), timeout, protocol (what came back
  /// is not HTTP, or is larger than the limits).
  Answer call(const Request& request) const;

  const std::string& socket_path() const { return m_socket_path; }

private:
  std::string m_socket_path;
  Limits m_limits;
};

} // namespace pyro::http
