// Taking text apart: lines, fields and numbers; and letters without their case. For numbers with units see
// units.hpp.
#pragma once

#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pyro {

/// The lines without their newlines; a last line may lack its newline. They point into `text`.
std::vector<std::string_view> lines_of(std::string_view text);

/// At most `count` lines from the end, oldest first: for error messages.
std::vector<std::string> last_lines(std::string_view text, std::size_t count = 20);

/// "a::b" at ':' is {"a", "", "b"}; an empty line is one empty field.
std::vector<std::string> fields_of(std::string_view line, char separator);

/// The number that all of the text is, in decimal digits; nullopt where it is anything else, or out of range.
template <typename Number>
std::optional<Number> whole_number(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

/// With the letters A to Z as small ones; all else, of whatever language, as it is.
std::string lower_case(std::string_view text);

/// "directory/name"; where one of them is empty, the other.
std::string joined(std::string_view directory, std::string_view name);

/// "a/b" of "a/b/c"; "" of "c".
std::string parent_of(std::string_view path);

} // namespace pyro
