// What a client says first, judged: which language it speaks, and whether it asks for the host that it
// connected to.
#pragma once

#include "client_hello.hpp"
#include "http_requests.hpp"
#include "refusal.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace pyro::gateway {

class FirstBytes {
public:
  /// `name`: that was resolved; nullopt: the rules are about the address, and what is said is not looked
  /// into. `secrets`: outlives it.
  FirstBytes(std::optional<std::string> name, std::uint16_t port, const RequestSecrets& secrets)
      : m_name(std::move(name)), m_port(port), m_secrets(secrets) {}

  /// The next of them. Throws Error(permission) that says why they are refused.
  void feed(std::string_view bytes);
  /// There are no more.
  void end();

  bool is_judged() const { return m_is_judged; }

  Language language() const { return m_language; }

  /// Once they are judged: what may go on to the server.
  std::string take_allowed() { return std::exchange(m_allowed, {}); }

  /// Where the client speaks HTTP and each request has to be judged: all that follows goes through it.
  std::unique_ptr<HttpRequests> take_requests() { return std::move(m_requests); }

  /// Only the language, of who is refused already. nullopt: too little to tell.
  static std::optional<Language> language_of(std::string_view bytes);

private:
  bool is_server_known();
  void conclude();

  std::optional<std::string> m_name;
  std::uint16_t m_port;
  const RequestSecrets& m_secrets;
  std::string m_bytes;
  std::size_t m_fed = 0; // of m_bytes, to m_hello
  bool m_is_judged = false;
  Language m_language = Language::unknown;
  std::string m_allowed;
  std::optional<ClientHello> m_hello;
  std::unique_ptr<HttpRequests> m_requests;
};

} // namespace pyro::gateway
