#include "cut_text.hpp"

namespace pyro {

namespace {

/// How many bytes a character has that begins with this one; 1 for what begins none.
std::size_t length_of_character(unsigned char first) {
  if (first >= 0xf0 && first < 0xf8) {
    return 4;
  }
  if (first >= 0xe0 && first < 0xf0) {
    return 3;
  }
  return first >= 0xc0 && first < 0xe0 ? 2 : 1;
}

} // namespace

std::size_t unfinished_character(std::string_view bytes) {
  for (std::size_t back = 1; back <= 3 && back <= bytes.size(); ++back) {
    const auto byte = static_cast<unsigned char>(bytes[bytes.size() - back]);
    if (byte < 0x80) {
      return 0;
    }
    if (byte >= 0xc0) {
      return length_of_character(byte) > back ? back : 0;
    }
  }
  return 0;
}

} // namespace pyro
