// TLS on a socket that is not waited for, at either end of it (OpenSSL).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct ssl_ctx_st;

namespace pyro::gateway {

class TlsStream {
public:
  enum class Handshake { waiting, done, failed };

  /// As a server. `socket` stays the caller's; `first`: what was received of it already.
  static TlsStream accept(ssl_ctx_st* context, int socket, std::string_view first);
  /// As a client, which asks for `name` and takes no other's certificate.
  static TlsStream connect(ssl_ctx_st* context, int socket, const std::string& name);

  TlsStream(TlsStream&&) noexcept;
  TlsStream& operator=(TlsStream&&) noexcept;
  ~TlsStream();

  Handshake handshake();
  /// Why it failed; of a certificate what is wrong with it.
  std::string trouble() const;

  /// What came, of the size of a record. nullopt: nothing yet; "": the end, or it broke.
  std::optional<std::string> read();
  /// Did it end as TLS ends, so that nobody cut it off?
  bool is_cleanly_ended() const;

  /// Sends the front of it, as much as there is room for, and takes that off. False: it is gone.
  bool write_front(std::string& bytes);
  /// Tells the other side that this is the end.
  void close();

private:
  struct Impl;
  explicit TlsStream(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> m_impl;
};

} // namespace pyro::gateway
