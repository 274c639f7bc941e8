#include "refusal.hpp"

#include <fmt/format.h>

namespace pyro::gateway {

namespace {

/// RFC 8446, 6.2
constexpr char k_access_denied = 49;
constexpr char k_internal_error = 80;

std::string alert(char description) {
  constexpr char k_alert = 21;
  constexpr char k_fatal = 2;
  return {k_alert, 3, 3, 0, 2, k_fatal, description};
}

} // namespace

std::string refusal_for(Language language, RefusalKind kind, const std::string& reason) {
  const bool is_denied = kind == RefusalKind::denied;
  if (language == Language::tls) {
    return alert(is_denied ? k_access_denied : k_internal_error);
  }
  if (language != Language::http) {
    return "";
  }
  const auto body = fmt::format(
      "pyro: {}\n{}", reason,
      is_denied ? "What this workspace may reach is listed in pyro.yaml at network.egress; `pyro network "
                  "log` on the "
                  "machine shows what was refused.\n"
                : "");
  return fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\nConnection: "
      "close\r\n\r\n{}",
      is_denied ? "403 Forbidden" : "502 Bad Gateway", body.size(), body);
}

} // namespace pyro::gateway
