#include "client_hello.hpp"

#include <pyro/base/error.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <limits>

namespace pyro::gateway {

namespace {

struct Heard {
  bool is_complete = false;
  std::optional<std::string> server_name;
};

/// One entry of the type host_name; nullopt: anything else.
std::optional<std::string> server_name_in(SSL* ssl) {
  const unsigned char* bytes = nullptr;
  std::size_t size = 0;
  if (::SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &bytes, &size) != 1) {
    return std::nullopt;
  }
  constexpr std::size_t k_front = 5; // length of the list, type, length of the name
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto number_at = [&](std::size_t at) {
    return static_cast<std::size_t>(bytes[at]) << 8U | bytes[at + 1];
  };
  if (size < k_front || number_at(0) != size - 2 || bytes[2] != TLSEXT_NAMETYPE_host_name
      || number_at(3) != size - k_front) {
    return std::nullopt;
  }
  return std::string(text.substr(k_front));
}

int on_client_hello(SSL* ssl, int* /*alert*/, void* /*argument*/) {
  auto* heard = static_cast<Heard*>(SSL_get_app_data(ssl));
  heard->is_complete = true;
  heard->server_name = server_name_in(ssl);
  return SSL_CLIENT_HELLO_RETRY;
}

SSL_CTX* context() {
  static SSL_CTX* const s_context = [] {
    auto* made = ::SSL_CTX_new(::TLS_server_method());
    if (made == nullptr) {
      throw Error(ErrorCode::internal, "OpenSSL makes no context");
    }
    ::SSL_CTX_set_client_hello_cb(made, on_client_hello, nullptr);
    return made;
  }();
  return s_context;
}

} // namespace

struct ClientHello::Impl {
  SSL* ssl = nullptr;
  BIO* input = nullptr; // the session's
  Heard heard;
};

ClientHello::ClientHello() : m_impl(std::make_unique<Impl>()) {
  m_impl->ssl = ::SSL_new(context());
  m_impl->input = ::BIO_new(::BIO_s_mem());
  auto* output = ::BIO_new(::BIO_s_mem());
  if (m_impl->ssl == nullptr || m_impl->input == nullptr || output == nullptr) {
    throw Error(ErrorCode::internal, "OpenSSL makes no session");
  }
  BIO_set_mem_eof_return(m_impl->input, -1);
  ::SSL_set_bio(m_impl->ssl, m_impl->input, output);
  ::SSL_set_accept_state(m_impl->ssl);
  SSL_set_app_data(m_impl->ssl, &m_impl->heard);
}

ClientHello::~ClientHello() {
  ::SSL_free(m_impl->ssl);
}

ClientHello::State ClientHello::feed(std::string_view bytes) {
  if (bytes.size() > std::numeric_limits<int>::max()
      || ::BIO_write(m_impl->input, bytes.data(), static_cast<int>(bytes.size())) < 0) {
    return State::wrong;
  }
  ::ERR_clear_error();
  const int result = ::SSL_do_handshake(m_impl->ssl);
  if (m_impl->heard.is_complete) {
    return State::complete;
  }
  const bool wants_more = result < 0 && ::SSL_get_error(m_impl->ssl, result) == SSL_ERROR_WANT_READ;
  ::ERR_clear_error();
  return wants_more ? State::needs_more : State::wrong;
}

const std::optional<std::string>& ClientHello::server_name() const {
  return m_impl->heard.server_name;
}

} // namespace pyro::gateway
