#include "base64.hpp"

#include "error.hpp"

namespace pyro {

static constexpr std::string_view k_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string base64_encode(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      bool padding = i + k > bytes.size();
      text.push_back(padding ? '=' : k_alphabet[(group >> (18 - 6 * k)) & 63]);
    }
  }
  return text;
}

std::string base64_decode(std::string_view text) {
  Error bad(ErrorCode::invalid_argument, "not valid base64");
  if (text.size() % 4 != 0) {
    throw bad;
  }
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') {
    ++padding;
  }
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  for (std::size_t i = 0; i < text.size(); i += 4) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      std::size_t value = 0;
      if (i + k < text.size() - padding) {
        value = k_alphabet.find(text[i + k]);
        if (value == std::string_view::npos) {
          throw bad;
        }
      }
      group = group << 6 | static_cast<std::uint32_t>(value);
    }
    for (int shift = 16; shift >= 0; shift -= 8) {
      bytes.push_back(static_cast<char>(group >> shift & 0xff));
    }
  }
  for (; padding > 0; --padding) {
    bytes.pop_back();
  }
  return bytes;
}

} // namespace pyro
