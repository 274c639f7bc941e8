#include "request_check.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>
#include <pyro/egress/rule.hpp>

#include <optional>

namespace pyro::gateway {

namespace {

/// "example.org:8080" in two.
struct Authority {
  std::string host;
  std::optional<std::string> port;
};

Authority authority_from(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return {std::string(text), std::nullopt};
  }
  return {std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

std::string cut_text(const std::string& text) {
  return text.substr(0, 200);
}

/// `also`: what may explain it.
void check_authority(const std::string& text, const Origin& origin, std::string_view also = {}) {
  const auto authority = authority_from(text);
  const auto name = egress::host_name(authority.host);
  // An empty port is the usual one (RFC 3986, 3.2.3).
  const bool is_same_port =
      !authority.port || authority.port->empty() || whole_number<int>(*authority.port) == origin.port;
  if (!name || *name != origin.host || !is_same_port) {
    throw Error(
        ErrorCode::permission, "the request is for the host '{}', the connection was made to {}{}",
        cut_text(text), origin.host, also);
  }
}

void check_target(const RequestHead& head, const Origin& origin) {
  const auto& target = head.target;
  if (head.method == "CONNECT") {
    throw Error(
        ErrorCode::permission, "the request CONNECT {} asks {} to pass it on", cut_text(target), origin.host);
  }
  if (target.starts_with('/') || target == "*") {
    return;
  }
  const auto front = origin.scheme + "://";
  if (target.size() < front.size()
      || !equals_ignoring_case(std::string_view(target).substr(0, front.size()), front)) {
    throw Error(ErrorCode::permission, "the request's target is '{}'", cut_text(target));
  }
  const auto rest = target.substr(front.size());
  check_authority(
      rest.substr(0, rest.find_first_of("/?#")), origin,
      ", which it takes for a proxy (http_proxy?): a list of hosts is held by name, not by a proxy");
}

/// Where its body ends must be the same to every server.
void check_length(const RequestHead& head) {
  const auto codings = head.values_of("transfer-encoding");
  for (const auto& coding : codings) {
    if (head.version < 11 || codings.size() > 1 || !equals_ignoring_case(coding, "chunked")) {
      throw Error(ErrorCode::permission, "the request has the transfer coding '{}'", cut_text(coding));
    }
  }
}

} // namespace

void check_request(const RequestHead& head, const Origin& origin) {
  check_target(head, origin);
  check_length(head);
  const auto hosts = head.values_of("host");
  if (hosts.size() != 1) {
    throw Error(ErrorCode::permission, "the request names {} hosts instead of one", hosts.size());
  }
  check_authority(hosts.front(), origin);
  for (const auto& upgrade : head.values_of("upgrade")) {
    if (!equals_ignoring_case(upgrade, "websocket")) {
      throw Error(ErrorCode::permission, "the request asks for the protocol '{}'", cut_text(upgrade));
    }
  }
}

bool asks_for_upgrade(const RequestHead& head) {
  return !head.values_of("upgrade").empty();
}

} // namespace pyro::gateway
