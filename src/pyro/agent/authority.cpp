#include "authority.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/regular_file.hpp>
#include <pyro/protocol/requests.hpp>

#include <array>

namespace pyro::agent {

namespace {

constexpr std::size_t k_largest_bundle = 4 << 20;

/// Of Debian and Alpine, Fedora, SUSE, and Arch.
constexpr std::array k_bundles{
    "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem"};
/// Where environment.ca lies.
constexpr const char* k_certificates_of_file = "/etc/pyro/ca.pem";

/// Whoever works inside may have put anything there: what cannot be read is as good as not there.
std::string text_at(const char* path) {
  try {
    const auto file = os::maybe_open_regular(path);
    auto text = file ? os::read_all(file->get(), k_largest_bundle) : "";
    if (!text.empty() && text.back() != '\n') {
      text += '\n';
    }
    return text;
  } catch (const Error&) {
    return "";
  }
}

std::string system_bundle() {
  for (const auto* path : k_bundles) {
    if (auto text = text_at(path); !text.empty()) {
      return text;
    }
  }
  return "";
}

void write_for_all(std::string_view path, const std::string& text) {
  constexpr mode_t k_mode = 0644;
  os::write_file_atomically(std::string(path), text, k_mode, os::Durable::no);
}

} // namespace

void trust_authority(const std::string& certificate) {
  write_for_all(protocol::k_authority_file, text_at(k_certificates_of_file) + certificate);
  write_for_all(protocol::k_authority_bundle, system_bundle() + certificate);
}

} // namespace pyro::agent
