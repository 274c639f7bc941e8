// Text out of what a terminal was sent: whole characters only, secrets replaced, and, where wanted, without
// control sequences. Pure, and without memory: what cannot be told yet is left for the next read, which
// begins there.
#pragma once

#include <pyro/base/redactor.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::workspace {

/// A control sequence longer than this is taken for rubbish, not waited for.
inline constexpr std::size_t k_max_sequence = 64 << 10;

struct TextWanted {
  /// Without control sequences and characters but tab and line end: "\r\n" is a line end, a lone "\r" that
  /// goes back over text is one too, a backspace takes back the character before it.
  bool plain = false;
  std::size_t max_chars = 65536;
  bool is_end = false; // nothing follows `bytes`, ever: nothing is left for later
  std::vector<Redactor::Span> secrets;
};

struct TerminalText {
  std::string text;         // in bytes that are no UTF-8 nothing is changed
  std::size_t consumed = 0; // of the bytes; the next read begins there
  bool is_full = false;     // stopped by max_chars
};

TerminalText text_of_terminal(std::string_view bytes, const TextWanted& wanted);

} // namespace pyro::workspace
