#include "request_secrets.hpp"

#include <pyro/base/base64.hpp>
#include <pyro/base/error.hpp>
#include <pyro/base/safe_text.hpp>

#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace pyro::gateway {

namespace {

constexpr std::size_t k_shortest_placeholder = 16; // so that nobody writes one by chance

constexpr std::size_t k_shortest_taken_out = 8; // shorter ones stand in other texts

/// A server may take what these say for the method or the target.
constexpr std::array<std::string_view, 6> k_overrides{"x-http-method",     "x-http-method-override",
                                                      "x-method-override", "x-original-url",
                                                      "x-original-uri",    "x-rewrite-url"};

bool holds_text(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

void replace_text(std::string& text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

/// What user and password of "Basic …" are (RFC 7617); nullopt: it is something else.
std::optional<std::string> basic_credentials(std::string_view value) {
  constexpr std::string_view k_scheme = "basic ";
  if (value.size() < k_scheme.size() || !equals_ignoring_case(value.substr(0, k_scheme.size()), k_scheme)) {
    return std::nullopt;
  }
  value.remove_prefix(std::min(value.find_first_not_of(' ', k_scheme.size()), value.size()));
  try {
    return base64_decode(value);
  } catch (const Error&) {
    return std::nullopt;
  }
}

bool mentions(const HeaderField& field, const std::string& placeholder) {
  if (holds_text(field.name, placeholder) || holds_text(field.value, placeholder)) {
    return true;
  }
  const auto credentials = basic_credentials(field.value);
  return credentials && holds_text(*credentials, placeholder);
}

/// Where it stands; empty: nowhere.
std::string place_of(const RequestHead& head, const std::string& placeholder) {
  if (holds_text(head.target, placeholder) || holds_text(head.method, placeholder)) {
    return "the target";
  }
  const auto found = std::find_if(head.fields.begin(), head.fields.end(), [&](const HeaderField& field) {
    return mentions(field, placeholder);
  });
  return found == head.fields.end() ? "" : "the header " + found->name;
}

std::string hosts_text(const RequestSecret& secret) {
  std::vector<std::string> hosts;
  std::transform(
      secret.hosts.begin(), secret.hosts.end(), std::back_inserter(hosts),
      [](const egress::Rule& rule) { return egress::to_string(rule); });
  return fmt::format("{}", fmt::join(hosts, ", "));
}

/// "https://example.org/x" as well.
std::string_view path_of_target(std::string_view target) {
  const auto scheme = target.find("://");
  if (target.starts_with('/') || scheme == std::string_view::npos) {
    return target;
  }
  const auto path = target.find_first_of("/?#", scheme + 3);
  return path == std::string_view::npos || target[path] != '/' ? "/" : target.substr(path);
}

void check_allowed(const RequestSecret& secret, const RequestHead& head) {
  if (secret.allow.empty()) {
    return;
  }
  for (const auto& name : k_overrides) {
    if (!head.values_of(name).empty()) {
      throw Error(
          ErrorCode::permission, "a request with the header {} is not one that secrets.{}.allow can tell",
          name, secret.name);
    }
  }
  const auto path = egress::plain_path(path_of_target(head.target));
  const bool is_allowed = std::any_of(secret.allow.begin(), secret.allow.end(), [&](const auto& pattern) {
    return pattern.holds(head.method, path);
  });
  if (!is_allowed) {
    throw Error(
        ErrorCode::permission, "secrets.{}.allow does not have {} {}", secret.name, head.method,
        path.substr(0, 200));
  }
}

void put_into_field(const RequestSecret& secret, HeaderField& field) {
  if (auto credentials = basic_credentials(field.value);
      credentials && holds_text(*credentials, secret.placeholder)) {
    replace_text(*credentials, secret.placeholder, *secret.value);
    field.value = "Basic " + base64_encode(*credentials);
  } else if (secret.prefix) {
    field.value = *secret.prefix + *secret.value;
  } else {
    replace_text(field.value, secret.placeholder, *secret.value);
  }
}

RequestSecret secret_from(const Json& json) {
  RequestSecret secret;
  secret.name = get_string(json, "name");
  secret.placeholder = get_string(json, "placeholder");
  secret.header = get_string(json, "header");
  secret.prefix = maybe_string(json, "prefix");
  if (const auto value = maybe_string(json, "value")) {
    secret.value = base64_decode(*value);
  }
  for (const auto& host : get_strings(json, "for")) {
    secret.hosts.push_back(egress::rule_from(host));
  }
  for (const auto& pattern : get_strings(json, "allow")) {
    secret.allow.push_back(egress::request_pattern_from(pattern));
  }
  const bool is_placeholder = secret.placeholder.size() >= k_shortest_placeholder;
  if (!is_placeholder || (secret.value && (secret.value->empty() || has_control_characters(*secret.value)))) {
    throw Error(ErrorCode::invalid_argument, "the secret {} cannot stand in a header", secret.name);
  }
  return secret;
}

} // namespace

bool RequestSecret::is_for(std::string_view host, std::uint16_t port) const {
  return std::any_of(hosts.begin(), hosts.end(), [&](const egress::Rule& rule) {
    return rule.holds_name(host) && rule.port.value_or(egress::k_https_port) == port;
  });
}

RequestSecrets::RequestSecrets(const Json& list) {
  std::transform(list.begin(), list.end(), std::back_inserter(m_secrets), secret_from);
}

bool RequestSecrets::concern(std::string_view host, std::uint16_t port) const {
  return std::any_of(m_secrets.begin(), m_secrets.end(), [&](const RequestSecret& secret) {
    return secret.is_for(host, port);
  });
}

std::vector<std::string>
RequestSecrets::put_into(RequestHead& head, std::string_view host, std::uint16_t port) const {
  std::vector<std::string> names;
  auto filled = head; // what a value has in it is not looked for
  for (const auto& secret : m_secrets) {
    const auto place = place_of(head, secret.placeholder);
    if (place.empty()) {
      continue;
    }
    if (!secret.is_for(host, port)) {
      throw Error(
          ErrorCode::permission,
          "the secret {} is for {}, and its placeholder stands in {} of a request to {}", secret.name,
          hosts_text(secret), place, host);
    }
    auto rest = head;
    for (std::size_t i = 0; i < head.fields.size(); ++i) {
      if (equals_ignoring_case(head.fields[i].name, secret.header)) {
        rest.fields[i].value.clear();
      }
    }
    if (const auto other = place_of(rest, secret.placeholder); !other.empty()) {
      throw Error(
          ErrorCode::permission, "the secret {} is put into the header {}, and its placeholder stands in {}",
          secret.name, secret.header, other);
    }
    if (!secret.value) {
      throw Error(
          ErrorCode::permission, "the secret {} is not set, so there is nothing to put in", secret.name);
    }
    check_allowed(secret, head);
    for (std::size_t i = 0; i < head.fields.size(); ++i) {
      if (mentions(head.fields[i], secret.placeholder)) {
        put_into_field(secret, filled.fields[i]);
      }
    }
    names.push_back(secret.name);
  }
  head = std::move(filled);
  return names;
}

void RequestSecrets::refuse_in_clear(const RequestHead& head, std::string_view host) const {
  for (const auto& secret : m_secrets) {
    if (const auto place = place_of(head, secret.placeholder); !place.empty()) {
      throw Error(
          ErrorCode::permission,
          "the placeholder of the secret {} stands in {} of a request to {} in clear text; it is for {}, by "
          "TLS",
          secret.name, place, host, hosts_text(secret));
    }
  }
}

void RequestSecrets::take_out(ResponseHead& head) const {
  for (const auto& secret : m_secrets) {
    if (!secret.value || secret.value->size() < k_shortest_taken_out) {
      continue;
    }
    replace_text(head.reason, *secret.value, secret.placeholder);
    for (auto& field : head.fields) {
      replace_text(field.name, *secret.value, secret.placeholder);
      replace_text(field.value, *secret.value, secret.placeholder);
    }
  }
}

} // namespace pyro::gateway
