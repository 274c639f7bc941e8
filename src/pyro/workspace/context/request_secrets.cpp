#include "request_secrets.hpp"

#include <pyro/base/base64.hpp>
#include <pyro/base/error.hpp>
#include <pyro/base/sha256.hpp>
#include <pyro/base/units.hpp>
#include <pyro/protocol/requests.hpp>
#include <pyro/protocol/secret_notes.hpp>

#include <algorithm>
#include <array>

namespace pyro::workspace {

namespace {

constexpr std::size_t k_most = 8 << 10; // servers refuse larger headers
constexpr std::string_view k_placeholder = "pyro_placeholder_";

constexpr std::array k_variables{
    std::pair{"SSL_CERT_FILE", protocol::k_authority_bundle},      // OpenSSL, Go, Ruby, Rust
    std::pair{"CURL_CA_BUNDLE", protocol::k_authority_bundle},     // curl
    std::pair{"GIT_SSL_CAINFO", protocol::k_authority_bundle},     // git
    std::pair{"REQUESTS_CA_BUNDLE", protocol::k_authority_bundle}, // requests, pip
    std::pair{"CARGO_HTTP_CAINFO", protocol::k_authority_bundle},  // cargo
    std::pair{"NODE_EXTRA_CA_CERTS", protocol::k_authority_file},  // Node.js, beside its own
};

Json json_of(const std::string& identity, const std::string& name, const spec::Secret& secret) {
  return {
      {"name", name},
      {"placeholder", placeholder_of(identity, name)},
      {"value", nullptr},
      {"for", secret.hosts},
      {"header", secret.header},
      {"prefix", secret.prefix ? Json(*secret.prefix) : Json()},
      {"allow", secret.allow}};
}

} // namespace

std::string placeholder_of(const std::string& identity, const std::string& secret) {
  constexpr std::size_t k_letters = 32;
  const auto digest = Sha256{}.field("placeholder, 1").field(identity).field(secret).finish();
  return std::string(k_placeholder) + std::string(digest).substr(0, k_letters);
}

void add_request_variables(spec::Spec& spec, const std::string& identity) {
  if (!spec::has_request_secrets(spec)) {
    return;
  }
  auto& env = spec.environment.env;
  for (const auto& [name, secret] : spec.secrets) {
    if (secret.is_for_requests()) {
      env.emplace(spec::placeholder_variable(name, secret), placeholder_of(identity, name));
    }
  }
  for (const auto& [name, path] : k_variables) {
    env.emplace(name, path);
  }
}

void remove_request_variables(std::map<std::string, std::string>& env) {
  std::erase_if(env, [](const auto& variable) {
    const auto& value = variable.second;
    return value == protocol::k_authority_bundle || value == protocol::k_authority_file
           || value.starts_with(k_placeholder);
  });
}

std::string header_value(std::string value) {
  while (value.ends_with('\n') || value.ends_with('\r')) {
    value.pop_back();
  }
  const bool is_hidden =
      std::any_of(value.begin(), value.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; });
  if (value.empty() || is_hidden || value.size() > k_most) {
    throw Error(
        ErrorCode::invalid_argument, "its value cannot stand in a header: it {}",
        value.empty() ? "is empty"
        : is_hidden   ? "has line ends or control characters in it"
                      : "has more than " + format_bytes(k_most));
  }
  return value;
}

void put_request_secrets(
    backend::ControlClient& client, const LoadedProject& project, ProjectSecrets& secrets) {
  Json list = Json::array();
  for (const auto& [name, secret] : project.spec.secrets) {
    if (!secret.is_for_requests()) {
      continue;
    }
    list.push_back(json_of(project.identity, name, secret));
    if (const auto* value = secrets.value(name)) {
      list.back()["value"] = base64_encode(*value);
    }
  }
  client.call(std::string(protocol::path::k_requests_secrets), {{"secrets", std::move(list)}});
}

} // namespace pyro::workspace
