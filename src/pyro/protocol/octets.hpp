// Numbers and texts of a binary record: big-endian, a length before every text. For what comes in millions;
// single messages are JSON.
#pragma once

#include <pyro/base/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace pyro::protocol {

template <typename Number>
void put_number(std::string& to, Number number) {
  const auto value = static_cast<std::make_unsigned_t<Number>>(number);
  for (auto octet = sizeof(Number); octet-- > 0;) {
    to += static_cast<char>((value >> (8 * octet)) & 0xff);
  }
}

/// The length takes four octets.
inline void put_text(std::string& to, std::string_view text) {
  put_number(to, static_cast<std::uint32_t>(text.size()));
  to += text;
}

/// Takes from the front; Error(protocol) where there is not enough.
class OctetReader {
public:
  explicit OctetReader(std::string_view bytes) : m_rest(bytes) {}

  std::string_view bytes(std::size_t count) {
    if (count > m_rest.size()) {
      throw Error(ErrorCode::protocol, "a record ends too early");
    }
    const auto taken = m_rest.substr(0, count);
    m_rest.remove_prefix(count);
    return taken;
  }

  template <typename Number>
  Number number() {
    std::make_unsigned_t<Number> value = 0;
    for (const char octet : bytes(sizeof(Number))) {
      value = static_cast<std::make_unsigned_t<Number>>(value << 8 | static_cast<unsigned char>(octet));
    }
    return static_cast<Number>(value);
  }

  std::string text() { return std::string(bytes(number<std::uint32_t>())); }

  bool at_end() const { return m_rest.empty(); }

private:
  std::string_view m_rest;
};

} // namespace pyro::protocol
