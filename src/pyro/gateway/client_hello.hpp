// The first message of a TLS client (RFC 8446, 4.1.2), read by OpenSSL: which server does it ask for (RFC
// 6066, 3)?
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pyro::gateway {

class ClientHello {
public:
  enum class State { needs_more, complete, wrong };

  ClientHello();
  ~ClientHello();
  ClientHello(const ClientHello&) = delete;
  ClientHello& operator=(const ClientHello&) = delete;

  /// The next bytes of the client, however they are split over records and packets.
  State feed(std::string_view bytes);
  /// Once it is complete: the name as it stands there; nullopt: it names none.
  const std::optional<std::string>& server_name() const;

private:
  struct Impl;
  std::unique_ptr<Impl> m_impl;
};

} // namespace pyro::gateway
