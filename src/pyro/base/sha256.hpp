// SHA-256 (FIPS 180-4) through libcrypto: digests of content, layers and recipe keys.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace pyro {

/// Lower-case hexadecimal, 64 characters.
using HexDigest = std::string;

class Sha256 {
public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  Sha256& update(std::string_view bytes);
  Sha256& update(std::span<const std::byte> bytes);
  /// Adds the length first, so that ("ab","c") and ("a","bc") differ.
  Sha256& field(std::string_view bytes);

  /// Ends the calculation; the object must not be used afterwards.
  HexDigest finish();
  std::array<std::byte, 32> finish_bytes();

private:
  struct State;
  std::unique_ptr<State> m_state;
};

HexDigest sha256_of(std::string_view bytes);

std::string to_hex(std::span<const std::byte> bytes);

} // namespace pyro
