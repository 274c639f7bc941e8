#include "destination.hpp"

#include "error.hpp"

#include <arpa/inet.h>
#include <charconv>

namespace pyro {

int address_bits(int family) {
  return family == AF_INET ? 32 : 128;
}

std::string_view address_bytes(const Destination& destination) {
  return {
      reinterpret_cast<const char*>(destination.address.data()),
      static_cast<std::size_t>(address_bits(destination.family) / 8)};
}

Destination destination_from(const std::string& text) {
  const auto slash = text.find('/');
  const auto address = text.substr(0, slash);
  Destination result;
  result.family = address.find(':') == std::string::npos ? AF_INET : AF_INET6;
  result.prefix = address_bits(result.family);
  bool is_valid = ::inet_pton(result.family, address.c_str(), result.address.data()) == 1;
  if (slash != std::string::npos) {
    const auto* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data() + slash + 1, end, result.prefix);
    is_valid = is_valid && parsed.ec == std::errc() && parsed.ptr == end && result.prefix >= 0
               && result.prefix <= address_bits(result.family);
  }
  if (!is_valid) {
    throw Error(ErrorCode::invalid_argument, "'{}' is no address and no address/prefix", text);
  }
  return result;
}

std::string to_string(const Destination& destination) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(destination.family, destination.address.data(), text.data(), text.size());
  return destination.prefix == address_bits(destination.family)
             ? std::string(text.data())
             : fmt::format("{}/{}", text.data(), destination.prefix);
}

bool covers(const Destination& whole, const Destination& part) {
  if (whole.family != part.family || whole.prefix > part.prefix) {
    return false;
  }
  for (int bit = 0; bit < whole.prefix; ++bit) {
    const auto byte = static_cast<std::size_t>(bit / 8);
    const auto mask = 0x80U >> (bit % 8);
    if (((whole.address[byte] ^ part.address[byte]) & mask) != 0) {
      return false;
    }
  }
  return true;
}

} // namespace pyro
