#include "base64.hpp"

#include "error.hpp"

#include <openssl/evp.h>

#include <limits>

namespace pyro {

namespace {

constexpr std::string_view k_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t k_most_bytes = std::numeric_limits<int>::max() / 2; // libcrypto counts in int

unsigned char* octets(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

} // namespace

std::string base64_encode(std::string_view bytes) {
  if (bytes.size() > k_most_bytes) {
    throw Error(ErrorCode::invalid_argument, "{} bytes are too many for base64", bytes.size());
  }
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0'); // libcrypto ends it with a NUL
  const auto written = ::EVP_EncodeBlock(octets(text), octets(bytes), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(written));
  return text;
}

std::string base64_decode(std::string_view text) {
  const auto end = std::min(text.find_first_not_of(k_alphabet), text.size());
  const auto padding = text.size() - end;
  // libcrypto passes over blanks and counts padding as content, so both are looked at here.
  const bool valid = text.size() % 4 == 0 && text.size() <= k_most_bytes && padding <= 2
                     && text.substr(end) == std::string_view("==", padding);
  if (!valid) {
    throw Error(ErrorCode::invalid_argument, "not valid base64");
  }
  std::string bytes(text.size() / 4 * 3, '\0');
  const auto written = ::EVP_DecodeBlock(octets(bytes), octets(text), static_cast<int>(text.size()));
  if (written < 0) {
    throw Error(ErrorCode::invalid_argument, "not valid base64");
  }
  bytes.resize(static_cast<std::size_t>(written) - padding);
  return bytes;
}

} // namespace pyro
