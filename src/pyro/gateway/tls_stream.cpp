#include "tls_stream.hpp"

#include "stream_socket.hpp"

#include <pyro/base/error.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <limits>

namespace pyro::gateway {

struct TlsStream::Impl {
  int socket = -1;
  SSL* ssl = nullptr;
  BIO* input = nullptr; // the session's
  bool is_at_end = false;
  std::string trouble;

  Impl(SSL_CTX* context, int the_socket) : socket(the_socket), ssl(::SSL_new(context)) {
    input = ::BIO_new(::BIO_s_mem());
    auto* output = ::BIO_new_socket(socket, BIO_NOCLOSE);
    if (ssl == nullptr || input == nullptr || output == nullptr) {
      throw Error(ErrorCode::internal, "OpenSSL makes no session");
    }
    BIO_set_mem_eof_return(input, -1);
    ::SSL_set_bio(ssl, input, output);
    SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  }

  ~Impl() { ::SSL_free(ssl); }

  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void put(std::string_view bytes) const {
    if (::BIO_write(input, bytes.data(), static_cast<int>(bytes.size())) < 0) {
      throw Error(ErrorCode::internal, "OpenSSL takes no bytes");
    }
  }

  /// False: nothing came.
  bool fill() {
    const auto bytes = is_at_end ? std::nullopt : receive(socket);
    if (!bytes) {
      return false;
    }
    is_at_end = bytes->empty();
    if (is_at_end) {
      BIO_set_mem_eof_return(input, 0);
    } else {
      put(*bytes);
    }
    return true;
  }

  void note_trouble() {
    const auto verdict = ::SSL_get_verify_result(ssl);
    const auto code = ::ERR_peek_last_error();
    if (verdict != X509_V_OK) {
      trouble = ::X509_verify_cert_error_string(verdict);
    } else if (const char* reason = code != 0 ? ::ERR_reason_error_string(code) : nullptr) {
      trouble = reason;
    } else {
      trouble = "the connection broke";
    }
    ::ERR_clear_error();
  }
};

TlsStream::TlsStream(std::unique_ptr<Impl> impl) : m_impl(std::move(impl)) {
}

TlsStream::TlsStream(TlsStream&&) noexcept = default;
TlsStream& TlsStream::operator=(TlsStream&&) noexcept = default;
TlsStream::~TlsStream() = default;

TlsStream TlsStream::accept(SSL_CTX* context, int socket, std::string_view first) {
  auto impl = std::make_unique<Impl>(context, socket);
  impl->put(first);
  ::SSL_set_accept_state(impl->ssl);
  return TlsStream(std::move(impl));
}

TlsStream TlsStream::connect(SSL_CTX* context, int socket, const std::string& name) {
  auto impl = std::make_unique<Impl>(context, socket);
  ::SSL_set_connect_state(impl->ssl);
  ::SSL_set_hostflags(impl->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (::SSL_set1_host(impl->ssl, name.c_str()) != 1
      || SSL_set_tlsext_host_name(impl->ssl, name.c_str()) != 1) {
    throw Error(ErrorCode::internal, "OpenSSL does not take the name {}", name);
  }
  return TlsStream(std::move(impl));
}

TlsStream::Handshake TlsStream::handshake() {
  while (true) {
    ::ERR_clear_error();
    const int result = ::SSL_do_handshake(m_impl->ssl);
    if (result == 1) {
      return Handshake::done;
    }
    const int error = ::SSL_get_error(m_impl->ssl, result);
    if (error == SSL_ERROR_WANT_WRITE) {
      return Handshake::waiting;
    }
    if (error != SSL_ERROR_WANT_READ) {
      m_impl->note_trouble();
      return Handshake::failed;
    }
    if (!m_impl->fill()) {
      return Handshake::waiting;
    }
  }
}

std::string TlsStream::trouble() const {
  return m_impl->trouble;
}

std::optional<std::string> TlsStream::read() {
  constexpr std::size_t k_record = 16 << 10;
  std::string bytes(k_record, '\0');
  while (true) {
    ::ERR_clear_error();
    std::size_t count = 0;
    const int result = ::SSL_read_ex(m_impl->ssl, bytes.data(), bytes.size(), &count);
    if (result == 1) {
      bytes.resize(count);
      return bytes;
    }
    const int error = ::SSL_get_error(m_impl->ssl, result);
    if (error == SSL_ERROR_WANT_WRITE) {
      return std::nullopt;
    }
    if (error != SSL_ERROR_WANT_READ) {
      ::ERR_clear_error();
      return "";
    }
    if (!m_impl->fill()) {
      return std::nullopt;
    }
  }
}

bool TlsStream::is_cleanly_ended() const {
  return (::SSL_get_shutdown(m_impl->ssl) & SSL_RECEIVED_SHUTDOWN) != 0;
}

bool TlsStream::write_front(std::string& bytes) {
  std::size_t sent = 0;
  bool is_there = true;
  while (sent < bytes.size()) {
    ::ERR_clear_error();
    std::size_t count = 0;
    const int result = ::SSL_write_ex(m_impl->ssl, bytes.data() + sent, bytes.size() - sent, &count);
    if (result == 1) {
      sent += count;
      continue;
    }
    const int error = ::SSL_get_error(m_impl->ssl, result);
    is_there = error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_WANT_READ;
    break;
  }
  bytes.erase(0, sent);
  return is_there;
}

void TlsStream::close() {
  ::ERR_clear_error();
  ::SSL_shutdown(m_impl->ssl);
  ::ERR_clear_error();
}

} // namespace pyro::gateway
