#include "sha256.hpp"

// The low-level functions need no provider fetch (about a millisecond at start-up) and are what a static
// program wants.
#include <openssl/sha.h>

#include <cstdint>

namespace pyro {

struct Sha256::State {
  SHA256_CTX context;
};

Sha256::Sha256() : m_state(std::make_unique<State>()) {
  SHA256_Init(&m_state->context);
}

Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

Sha256& Sha256::update(std::string_view bytes) {
  SHA256_Update(&m_state->context, bytes.data(), bytes.size());
  return *this;
}

Sha256& Sha256::update(std::span<const std::byte> bytes) {
  SHA256_Update(&m_state->context, bytes.data(), bytes.size());
  return *this;
}

Sha256& Sha256::field(std::string_view bytes) {
  std::array<std::byte, 8> length{};
  auto size = static_cast<std::uint64_t>(bytes.size());
  for (auto& octet : length) {
    octet = static_cast<std::byte>(size & 0xff);
    size >>= 8;
  }
  return update(length).update(bytes);
}

std::array<std::byte, 32> Sha256::finish_bytes() {
  std::array<std::byte, 32> digest{};
  SHA256_Final(reinterpret_cast<unsigned char*>(digest.data()), &m_state->context);
  return digest;
}

HexDigest Sha256::finish() {
  return to_hex(finish_bytes());
}

HexDigest sha256_of(std::string_view bytes) {
  return Sha256{}.update(bytes).finish();
}

std::string to_hex(std::span<const std::byte> bytes) {
  constexpr std::string_view k_digits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const auto octet : bytes) {
    const auto value = std::to_integer<unsigned>(octet);
    text += k_digits[value >> 4];
    text += k_digits[value & 15];
  }
  return text;
}

} // namespace pyro
