#include "request_secrets.hpp"

#include <pyro/base/base64.hpp>
#include <pyro/base/error.hpp>
#include <pyro/base/safe_text.hpp>
#include <pyro/base/sha256.hpp>
#include <pyro/base/units.hpp>
#include <pyro/protocol/requests.hpp>
#include <pyro/protocol/secret_notes.hpp>

#include <array>

namespace pyro::workspace {

namespace {

constexpr std::size_t k_longest_value = 8 << 10; // servers refuse larger headers
constexpr std::string_view k_placeholder = "pyro_placeholder_";
constexpr std::string_view k_of_authority = "/etc/pyro/ca"; // of environment.ca: ours have those as well

constexpr std::array k_request_variables{
    std::pair{"SSL_CERT_FILE", protocol::k_authority_bundle},      // OpenSSL, Go, Ruby, Rust
    std::pair{"CURL_CA_BUNDLE", protocol::k_authority_bundle},     // curl
    std::pair{"GIT_SSL_CAINFO", protocol::k_authority_bundle},     // git
    std::pair{"REQUESTS_CA_BUNDLE", protocol::k_authority_bundle}, // requests, pip
    std::pair{"CARGO_HTTP_CAINFO", protocol::k_authority_bundle},  // cargo
    std::pair{"NODE_EXTRA_CA_CERTS", protocol::k_authority_file},  // Node.js, beside its own
};

Json json_of(const std::string& checkout, const std::string& name, const spec::Secret& secret) {
  return {
      {"name", name},
      {"placeholder", placeholder_of(checkout, name)},
      {"value", nullptr},
      {"for", secret.hosts},
      {"header", secret.header},
      {"prefix", secret.prefix ? Json(*secret.prefix) : Json()},
      {"allow", secret.allow}};
}

} // namespace

std::set<std::string> request_secrets(const spec::Spec& spec) {
  std::set<std::string> names;
  for (const auto& [name, secret] : spec.secrets) {
    if (secret.is_for_requests()) {
      names.insert(name);
    }
  }
  return names;
}

std::string placeholder_of(const std::string& checkout, const std::string& secret) {
  constexpr std::size_t k_letters = 32;
  const auto digest = Sha256{}.field("placeholder, 1").field(checkout).field(secret).finish();
  return std::string(k_placeholder) + std::string(digest).substr(0, k_letters);
}

void add_request_variables(
    std::map<std::string, std::string>& env, const spec::Spec& spec, const std::string& checkout,
    const std::set<std::string>& names) {
  if (names.empty()) {
    return;
  }
  for (const auto& name : names) {
    env.emplace(spec::placeholder_variable(name, spec.secrets.at(name)), placeholder_of(checkout, name));
  }
  for (const auto& [name, path] : k_request_variables) {
    const auto [variable, is_new] = env.emplace(name, path);
    if (!is_new && variable->second.starts_with(k_of_authority)) {
      variable->second = path;
    }
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
  const bool is_hidden = has_control_characters(value);
  if (value.empty() || is_hidden || value.size() > k_longest_value) {
    throw Error(
        ErrorCode::invalid_argument, "its value cannot stand in a header: it {}",
        value.empty() ? "is empty"
        : is_hidden   ? "has line ends or control characters in it"
                      : "has more than " + format_bytes(k_longest_value));
  }
  return value;
}

void put_request_secrets(
    backend::ControlClient& client, const LoadedProject& project, ProjectSecrets& secrets,
    const std::set<std::string>& names) {
  Json list = Json::array();
  for (const auto& name : names) {
    list.push_back(json_of(project.directory, name, project.spec.secrets.at(name)));
    if (const auto* value = secrets.value(name)) {
      list.back()["value"] = base64_encode(*value);
    }
  }
  client.call(std::string(protocol::path::k_requests_secrets), {{"secrets", std::move(list)}});
}

} // namespace pyro::workspace
