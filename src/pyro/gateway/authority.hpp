// The authority of one gateway: a key that is made when it is first needed and never leaves this process. It
// vouches inside the workspace for the hosts whose TLS is opened, and for nobody anywhere else.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

struct ssl_ctx_st;

namespace pyro::gateway {

class Authority {
public:
  Authority();
  ~Authority();
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  /// Its certificate (PEM), which is trusted inside.
  const std::string& certificate() const;

  /// For a server of that name: with a certificate of today, TLS 1.2 or later and HTTP/1.1 alone. Lives as
  /// long as this.
  ssl_ctx_st* server_context(const std::string& name);

private:
  struct Impl;
  std::unique_ptr<Impl> m_impl;
};

/// For connections to real servers: their certificates must be of an authority that this machine trusts, or
/// that stands in `bundle` (PEM), which then takes the place of the machine's. Throws Error(unavailable)
/// where there is none in it.
class TrustedServers {
public:
  explicit TrustedServers(const std::string& bundle);
  ~TrustedServers();
  TrustedServers(const TrustedServers&) = delete;
  TrustedServers& operator=(const TrustedServers&) = delete;

  ssl_ctx_st* client_context() const { return m_context; }

private:
  ssl_ctx_st* m_context;
};

} // namespace pyro::gateway
