// What a YAML text opened and did not close: quotes and brackets. A rough look at the text itself, for the
// words of an error; what the text means is the scanner's to say.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace pyro::spec {

/// Of a byte within its line, counted in characters from 1, as editors do.
int column_of(std::string_view line, std::size_t byte);

/// Is there a quote at `at` that has no end?
bool is_open_quote(std::string_view text, std::size_t at);

struct QuotedText {
  std::size_t begin = 0; // of its first quote
  std::size_t end = 0;   // of its last one; the size of the text where it has none
};

struct LeftOpen {
  std::vector<std::size_t> brackets;     // from the outermost
  std::optional<QuotedText> last_quoted; // the last that goes over a line's end
};

/// Up to the byte `end`, or to the first bracket that closes another one than was opened last.
LeftOpen left_open(std::string_view text, std::size_t end);

} // namespace pyro::spec
