#include "authority.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/random.hpp>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>

namespace pyro::gateway {

namespace {

constexpr long k_day = 24L * 60 * 60;
constexpr long k_life_of_authority = 3650 * k_day; // the gateway ends before
constexpr long k_life_of_server = 30 * k_day;
constexpr std::chrono::hours k_renewal{24};
constexpr std::size_t k_most_contexts = 1024;

template <auto release>
struct Releaser {
  template <typename T>
  void operator()(T* object) const {
    release(object);
  }
};

using Key = std::unique_ptr<EVP_PKEY, Releaser<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Releaser<X509_free>>;
using Context = std::unique_ptr<SSL_CTX, Releaser<SSL_CTX_free>>;
using Bio = std::unique_ptr<BIO, Releaser<BIO_free_all>>;

void need(bool is_done, const char* what) {
  if (!is_done) {
    throw Error(ErrorCode::internal, "OpenSSL cannot {}", what);
  }
}

Key make_key() {
  Key key(EVP_EC_gen("P-256"));
  need(key != nullptr, "make a key");
  return key;
}

void extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  auto* extension = ::X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  const bool is_added = extension != nullptr && ::X509_add_ext(certificate, extension, -1) == 1;
  ::X509_EXTENSION_free(extension);
  need(is_added, "write a certificate");
}

/// Nothing but its issuer's signature and its extensions is missing. A clock inside may be a little behind.
Certificate begin_certificate(EVP_PKEY* key, const std::string& name, long life) {
  Certificate certificate(::X509_new());
  need(certificate != nullptr, "make a certificate");
  auto* x509 = certificate.get();
  const auto serial = "00" + os::random_hex(15);
  BIGNUM* number = nullptr;
  need(::BN_hex2bn(&number, serial.c_str()) != 0, "make a number");
  const bool is_numbered = ::BN_to_ASN1_INTEGER(number, ::X509_get_serialNumber(x509)) != nullptr;
  ::BN_free(number);
  auto* subject = ::X509_get_subject_name(x509);
  const bool is_begun =
      is_numbered && ::X509_set_version(x509, X509_VERSION_3) == 1
      && ::X509_gmtime_adj(X509_getm_notBefore(x509), -k_day) != nullptr
      && ::X509_gmtime_adj(X509_getm_notAfter(x509), life) != nullptr && ::X509_set_pubkey(x509, key) == 1
      && ::X509_NAME_add_entry_by_txt(
             subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0)
             == 1;
  need(is_begun, "write a certificate");
  return certificate;
}

void sign(X509* certificate, EVP_PKEY* key) {
  need(::X509_sign(certificate, key, ::EVP_sha256()) > 0, "sign a certificate");
}

std::string text_of(X509* certificate) {
  const Bio memory(::BIO_new(::BIO_s_mem()));
  need(memory != nullptr && ::PEM_write_bio_X509(memory.get(), certificate) == 1, "write a certificate");
  char* bytes = nullptr;
  const auto size = BIO_get_mem_data(memory.get(), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

/// A subject of at most 64 letters.
std::string common_name(const std::string& name) {
  constexpr std::size_t k_most = 64;
  return name.size() <= k_most ? name : "pyro gateway";
}

/// Of what the client offers; one that speaks HTTP/2 only is told that nobody here does.
int choose_protocol(
    SSL* /*ssl*/, const unsigned char** chosen, unsigned char* chosen_size, const unsigned char* offered,
    unsigned offered_size, void* /*argument*/) {
  static constexpr std::string_view k_http1 = "http/1.1";
  for (unsigned at = 0; at < offered_size; at += 1U + offered[at]) {
    const std::string_view name(
        reinterpret_cast<const char*>(offered + at + 1),
        std::min<unsigned>(offered[at], offered_size - at - 1));
    if (name == k_http1) {
      *chosen = offered + at + 1;
      *chosen_size = static_cast<unsigned char>(name.size());
      return SSL_TLSEXT_ERR_OK;
    }
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

Context make_context(const SSL_METHOD* method) {
  Context context(::SSL_CTX_new(method));
  need(context != nullptr && SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) == 1, "speak TLS");
  ::SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION);
  return context;
}

} // namespace

struct Authority::Impl {
  struct Server {
    Context context;
    std::chrono::milliseconds made{0};
  };

  Key key = make_key();
  Key server_key = make_key();
  Certificate certificate;
  std::string text;
  std::map<std::string, Server> servers;

  Impl() {
    certificate = begin_certificate(key.get(), "pyro gateway " + os::random_hex(6), k_life_of_authority);
    auto* x509 = certificate.get();
    need(::X509_set_issuer_name(x509, ::X509_get_subject_name(x509)) == 1, "write a certificate");
    extend(x509, x509, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    extend(x509, x509, NID_key_usage, "critical,keyCertSign,cRLSign");
    extend(x509, x509, NID_subject_key_identifier, "hash");
    sign(x509, key.get());
    text = text_of(x509);
  }

  Certificate certificate_for(const std::string& name) const {
    auto made = begin_certificate(server_key.get(), common_name(name), k_life_of_server);
    auto* x509 = made.get();
    need(
        ::X509_set_issuer_name(x509, ::X509_get_subject_name(certificate.get())) == 1, "write a certificate");
    extend(x509, certificate.get(), NID_basic_constraints, "critical,CA:FALSE");
    extend(x509, certificate.get(), NID_key_usage, "critical,digitalSignature");
    extend(x509, certificate.get(), NID_ext_key_usage, "serverAuth");
    extend(x509, certificate.get(), NID_subject_key_identifier, "hash");
    extend(x509, certificate.get(), NID_authority_key_identifier, "keyid:always");
    extend(x509, certificate.get(), NID_subject_alt_name, "DNS:" + name);
    sign(x509, key.get());
    return made;
  }

  Context context_for(const std::string& name) const {
    auto context = make_context(::TLS_server_method());
    const auto own = certificate_for(name);
    need(
        ::SSL_CTX_use_certificate(context.get(), own.get()) == 1
            && ::SSL_CTX_use_PrivateKey(context.get(), server_key.get()) == 1,
        "use a certificate");
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
    ::SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET);
    ::SSL_CTX_set_num_tickets(context.get(), 0);
    ::SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
    return context;
  }
};

Authority::Authority() : m_impl(std::make_unique<Impl>()) {
}

Authority::~Authority() = default;

const std::string& Authority::certificate() const {
  return m_impl->text;
}

ssl_ctx_st* Authority::server_context(const std::string& name) {
  auto& servers = m_impl->servers;
  const auto now = os::now_monotonic();
  auto found = servers.find(name);
  if (found == servers.end() || now - found->second.made > k_renewal) {
    if (servers.size() >= k_most_contexts) {
      servers.clear(); // sessions keep theirs
    }
    found = servers.insert_or_assign(name, Impl::Server{m_impl->context_for(name), now}).first;
  }
  return found->second.context.get();
}

TrustedServers::TrustedServers(const std::string& bundle) : m_context(nullptr) {
  auto context = make_context(::TLS_client_method());
  ::SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  constexpr std::array<unsigned char, 9> k_protocols{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  need(
      ::SSL_CTX_set_alpn_protos(context.get(), k_protocols.data(), k_protocols.size()) == 0,
      "offer HTTP/1.1");
  if (bundle.empty()) {
    need(::SSL_CTX_set_default_verify_paths(context.get()) == 1, "find this machine's authorities");
  } else {
    const Bio memory(::BIO_new_mem_buf(bundle.data(), static_cast<int>(bundle.size())));
    need(memory != nullptr, "read a bundle");
    std::size_t count = 0;
    while (Certificate certificate{::PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr)}) {
      need(
          ::X509_STORE_add_cert(::SSL_CTX_get_cert_store(context.get()), certificate.get()) == 1,
          "trust a certificate");
      ++count;
    }
    ::ERR_clear_error(); // of the end
    if (count == 0) {
      throw Error(ErrorCode::unavailable, "SSL_CERT_FILE of this machine holds no certificate");
    }
  }
  m_context = context.release();
}

TrustedServers::~TrustedServers() {
  ::SSL_CTX_free(m_context);
}

} // namespace pyro::gateway
