#include "first_bytes.hpp"

#include <pyro/base/error.hpp>
#include <pyro/egress/rule.hpp>

namespace pyro::gateway {

namespace {

constexpr std::size_t k_most_first_bytes = 64 << 10;
constexpr char k_tls_handshake = 0x16;

template <typename... Args>
[[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(ErrorCode::permission, format, std::forward<Args>(args)...);
}

} // namespace

std::optional<Language> FirstBytes::language_of(std::string_view bytes) {
  if (bytes.empty()) {
    return std::nullopt;
  }
  if (bytes.front() == k_tls_handshake) {
    return Language::tls;
  }
  const auto is_http = begins_http_request(bytes);
  return is_http ? std::optional(*is_http ? Language::http : Language::other) : std::nullopt;
}

void FirstBytes::feed(std::string_view bytes) {
  m_bytes += bytes;
  if (m_language == Language::unknown) {
    m_language = language_of(m_bytes).value_or(Language::unknown);
  }
  if (m_language != Language::unknown && (m_language != Language::tls || is_server_known())) {
    conclude();
  } else if (m_bytes.size() >= k_most_first_bytes) {
    refuse("what the client begins with has no end");
  }
}

void FirstBytes::end() {
  if (m_is_judged) {
    return;
  }
  if (m_language == Language::tls) {
    refuse("the client ended in its first message");
  }
  if (m_bytes.empty()) { // it said nothing, which is nothing to refuse
    m_is_judged = true;
    return;
  }
  m_language = Language::other;
  conclude();
}

/// False: the message is not all there.
bool FirstBytes::is_server_known() {
  if (!m_hello) {
    m_hello.emplace();
  }
  const auto state = m_hello->feed(std::string_view(m_bytes).substr(m_fed));
  m_fed = m_bytes.size();
  if (state == ClientHello::State::wrong) {
    refuse("the client's first message is not TLS");
  }
  if (state == ClientHello::State::needs_more) {
    return false;
  }
  const auto& asked = m_hello->server_name();
  if (m_name && (!asked || egress::host_name(*asked) != m_name)) {
    refuse(
        "the client asks by TLS for {}",
        asked ? fmt::format("the server '{}'", *asked) : "no server by its name");
  }
  m_hello.reset();
  return true;
}

void FirstBytes::conclude() {
  if (m_name) {
    if (m_port == egress::k_https_port && m_language != Language::tls) {
      refuse("the client does not speak TLS");
    }
    if (m_port == egress::k_http_port && m_language != Language::http) {
      refuse("the client does not speak HTTP/1");
    }
    if (m_language == Language::http) {
      m_requests = std::make_unique<HttpRequests>(*m_name, m_port, m_secrets);
    }
  }
  m_allowed = m_requests ? m_requests->feed(m_bytes) : std::move(m_bytes);
  m_bytes.clear();
  m_is_judged = true;
}

} // namespace pyro::gateway
