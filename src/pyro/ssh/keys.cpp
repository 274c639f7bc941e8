#include "keys.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/file_lock.hpp>

#include <chrono>

namespace pyro::ssh {

namespace {

constexpr std::size_t k_largest_key = 64 << 10;
constexpr std::chrono::seconds k_patience{10};

/// What libssh gives of a key, as text.
std::string text_of(char* made) {
  const std::unique_ptr<char, FreedBy<ssh_string_free_char>> text(made);
  return text ? text.get() : "";
}

OwnedKey made_key() {
  ssh_key key = nullptr;
  if (ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &key) != SSH_OK) {
    throw Error(ErrorCode::internal, "libssh makes no key");
  }
  return OwnedKey(key);
}

std::string private_text(const OwnedKey& key) {
  char* text = nullptr;
  if (ssh_pki_export_privkey_base64(key.get(), nullptr, nullptr, nullptr, &text) != SSH_OK) {
    throw Error(ErrorCode::internal, "libssh cannot write a key down");
  }
  return text_of(text);
}

/// "ssh-ed25519 AAAA…"
std::string public_text(const OwnedKey& key) {
  char* text = nullptr;
  if (ssh_pki_export_pubkey_base64(key.get(), &text) != SSH_OK) {
    throw Error(ErrorCode::internal, "libssh cannot write a key down");
  }
  return fmt::format("{} {}", ssh_key_type_to_char(ssh_key_type(key.get())), text_of(text));
}

OwnedKey read_or_make(const std::string& path) {
  auto text = os::maybe_read_file(path, k_largest_key);
  if (!text) {
    text = private_text(made_key());
    os::write_file_atomically(path, *text, 0600);
  }
  ssh_key key = nullptr;
  if (ssh_pki_import_privkey_base64(text->c_str(), nullptr, nullptr, nullptr, &key) != SSH_OK) {
    throw Error(ErrorCode::io, "{} is no private key", path)
        .with_hint("remove it: pyro makes another; clients then have to forget the old one");
  }
  return OwnedKey(key);
}

void write_if_new(const std::string& path, const std::string& text) {
  if (os::maybe_read_file(path, k_largest_key) != text) {
    os::write_file_atomically(path, text, 0600);
  }
}

} // namespace

Keys prepare_keys(const std::string& directory) {
  os::make_directories(directory);
  const os::ExclusiveLock lock(directory + "/lock", "the keys of ssh", k_patience);
  Keys keys;
  keys.host = read_or_make(directory + "/host_key");
  write_if_new(directory + "/known_hosts", fmt::format("{} {}\n", k_host_alias, public_text(keys.host)));
  const auto client = read_or_make(directory + "/client_key");
  write_if_new(directory + "/client_key.pub", public_text(client) + " pyro\n");
  ssh_key shown = nullptr;
  if (ssh_pki_export_privkey_to_pubkey(client.get(), &shown) != SSH_OK) {
    throw Error(ErrorCode::internal, "libssh knows no public half of {}/client_key", directory);
  }
  keys.client.reset(shown);
  return keys;
}

} // namespace pyro::ssh
