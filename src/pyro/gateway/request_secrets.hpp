// Secrets that are put into requests on their way out (docs/decisions/0078). Inside there are placeholders;
// values are here, in memory, and stand in no message, log or error.
#pragma once

#include "http_head.hpp"

#include <pyro/base/json_access.hpp>
#include <pyro/egress/request_pattern.hpp>
#include <pyro/egress/rule.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pyro::gateway {

struct RequestSecret {
  std::string name;
  std::string placeholder;
  std::optional<std::string> value; // nullopt: it is not set, and nothing is put in
  std::vector<egress::Rule> hosts;  // names; a rule without a port means 443
  std::string header;
  std::optional<std::string> prefix; // nullopt: as the request has it
  std::vector<egress::RequestPattern> allow;

  bool is_for(std::string_view host, std::uint16_t port) const;
};

class RequestSecrets {
public:
  RequestSecrets() = default;
  /// A list of {"name", "placeholder", "value" (base64, or null), "for", "header", "prefix" (or null),
  /// "allow"}. Throws Error(protocol, invalid_argument) without values in it.
  explicit RequestSecrets(const Json& list);

  /// Is one for this host? Then its TLS is opened.
  bool concern(std::string_view host, std::uint16_t port) const;

  /// Of a request in opened TLS: where the header of a secret has its placeholder, the value stands
  /// afterwards. Returns the names of those. Throws Error(permission) for a placeholder that is another
  /// host's, stands elsewhere, or is in a request that `allow` does not have.
  std::vector<std::string> put_into(RequestHead& head, std::string_view host, std::uint16_t port) const;

  /// Of a request in clear text: throws Error(permission) where a placeholder stands in it.
  void refuse_in_clear(const RequestHead& head, std::string_view host) const;

  /// What a server sends back of a value becomes the placeholder again.
  void take_out(ResponseHead& head) const;

private:
  std::vector<RequestSecret> m_secrets;
};

} // namespace pyro::gateway
