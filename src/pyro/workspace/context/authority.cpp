#include "authority.hpp"

#include "named_path.hpp"

#include <pyro/base/error.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace pyro::workspace {

namespace {

constexpr const char* k_id = "ca";
constexpr const char* k_field = "environment.ca";
constexpr std::size_t k_most = 96 << 10; // the step is one argument of a shell, for which Linux has 128 KiB

/// Each is a bundle with all of the system's, or else the certificates alone.
constexpr std::array k_variables{
    std::pair{"SSL_CERT_FILE", "/etc/pyro/ca-bundle.pem"},      // OpenSSL, Go, Ruby, Rust
    std::pair{"CURL_CA_BUNDLE", "/etc/pyro/ca-bundle.pem"},     // curl
    std::pair{"GIT_SSL_CAINFO", "/etc/pyro/ca-bundle.pem"},     // git
    std::pair{"REQUESTS_CA_BUNDLE", "/etc/pyro/ca-bundle.pem"}, // requests, pip
    std::pair{"CARGO_HTTP_CAINFO", "/etc/pyro/ca-bundle.pem"},  // cargo
    std::pair{"NODE_EXTRA_CA_CERTS", "/etc/pyro/ca.pem"},       // Node.js, beside its own
};

/// What follows the certificates in /etc/pyro/ca.pem. The places are those of Debian and Alpine, Fedora,
/// SUSE, and Arch; who installs or updates certificates later finds ours where the distribution looks for
/// local ones.
constexpr std::string_view k_script = R"(
mark='# pyro: environment.ca'
bundle=
for each in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem /etc/ssl/cert.pem; do
  if [ -e "$each" ]; then
    grep -qxF "$mark" "$each" || { echo; echo "$mark"; cat /etc/pyro/ca.pem; } >> "$each"
    bundle=${bundle:-$each}
  fi
done
if [ -z "$bundle" ]; then
  bundle=/etc/ssl/certs/ca-certificates.crt
  mkdir -p /etc/ssl/certs
  cat /etc/pyro/ca.pem > "$bundle"
fi
ln -sfn "$bundle" /etc/pyro/ca-bundle.pem
mkdir -p /usr/local/share/ca-certificates
cp /etc/pyro/ca.pem /usr/local/share/ca-certificates/pyro.crt
for each in /etc/pki/ca-trust/source/anchors /etc/ca-certificates/trust-source/anchors; do
  if [ -d "$each" ]; then
    cp /etc/pyro/ca.pem "$each/pyro.pem"
  fi
done
)";

/// The certificates and nothing else, which is all that is worth a key: comments and line ends differ between
/// programs. A private key that somebody has put beside them does not come along.
std::string certificates_in(const std::string& text, const std::string& path) {
  constexpr std::string_view k_begin = "-----BEGIN CERTIFICATE-----";
  constexpr std::string_view k_end = "-----END CERTIFICATE-----";
  std::string found;
  for (std::size_t at = text.find(k_begin); at != std::string::npos; at = text.find(k_begin, at)) {
    const auto end = text.find(k_end, at);
    if (end == std::string::npos) {
      throw Error(ErrorCode::invalid_file, "{} ends within a certificate", path);
    }
    const auto one = std::string_view(text).substr(at, end + k_end.size() - at);
    const bool is_text = std::all_of(one.begin(), one.end(), [](unsigned char letter) {
      return letter == '\n' || letter == '\r' || (letter >= ' ' && letter < 0x7f && letter != '\'');
    });
    if (!is_text) {
      throw Error(ErrorCode::invalid_file, "{} holds a certificate that is no text", path);
    }
    std::copy_if(
        one.begin(), one.end(), std::back_inserter(found), [](char letter) { return letter != '\r'; });
    found += '\n';
    at = end;
  }
  if (found.empty()) {
    throw Error(ErrorCode::invalid_file, "{} holds no certificate", path)
        .with_hint(
            "PEM, which has lines -----BEGIN CERTIFICATE-----; of DER: openssl x509 -inform der -in FILE");
  }
  return found;
}

std::string read_certificates(const spec::Spec& spec, const std::string& directory) {
  const auto& path = spec.environment.ca;
  const auto text = maybe_read_named(directory, path, k_most);
  if (!text) {
    throw Error(ErrorCode::input_missing, "there is no {}", path);
  }
  return certificates_in(*text, path);
}

spec::Step step_of(const std::string& certificates) {
  spec::Step step;
  step.id = k_id;
  step.user = "root";
  step.workdir = "/";
  step.egress.kind = spec::EgressKind::none;
  step.run = "umask 022\nmkdir -p /etc/pyro\ncat > /etc/pyro/ca.pem <<'PYRO'\n" + certificates + "PYRO"
             + std::string(k_script);
  return step;
}

} // namespace

void add_authority(spec::Spec& spec, const std::string& directory) {
  auto& environment = spec.environment;
  if (environment.ca.empty()) {
    return;
  }
  const auto place = spec.place(k_field);
  const bool is_taken = std::any_of(
      environment.setup.begin(), environment.setup.end(), [](const auto& step) { return step.id == k_id; });
  if (is_taken) {
    throw Error(
        ErrorCode::invalid_file, "environment.ca is a set-up step called ca, and there is another one")
        .at(spec.place(std::string("environment.setup.") + k_id))
        .with_hint("give that step another id");
  }
  std::string certificates;
  try {
    certificates = read_certificates(spec, directory);
  } catch (Error& error) {
    throw error.at(place);
  }
  for (const auto& [name, value] : k_variables) {
    environment.env.emplace(name, value);
    for (auto* steps : {&environment.setup, &spec.prepare}) {
      for (auto& step : *steps) {
        step.env.emplace(name, value);
      }
    }
  }
  environment.setup.insert(environment.setup.begin(), step_of(certificates));
  for (const auto* part : {"", ".run", ".user", ".egress"}) {
    spec.positions[std::string("environment.setup.") + k_id + part] = place;
  }
}

} // namespace pyro::workspace
