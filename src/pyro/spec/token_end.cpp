#include "token_end.hpp"

#include <algorithm>

namespace pyro::spec {

namespace {

bool is_inside_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

/// The byte at which the column begins; npos: the line is shorter.
std::size_t byte_at_column(std::string_view line, int column) {
  int seen = 1;
  for (std::size_t at = 0; at <= line.size(); ++at) {
    if (at < line.size() && is_inside_character(line[at])) {
      continue;
    }
    if (seen++ == column) {
      return at;
    }
  }
  return std::string_view::npos;
}

int column_at_byte(std::string_view line, std::size_t byte) {
  const auto front = line.substr(0, byte);
  return 1 + static_cast<int>(std::count_if(front.begin(), front.end(), [](char c) {
           return !is_inside_character(c);
         }));
}

/// Behind a quoted text that begins at `at`, or the line's end where it goes on below.
std::size_t behind_quotes(std::string_view line, std::size_t at) {
  const char quote = line[at];
  for (++at; at < line.size(); ++at) {
    if (quote == '"' && line[at] == '\\') {
      ++at;
    } else if (line[at] == quote) {
      const bool is_doubled = quote == '\'' && at + 1 < line.size() && line[at + 1] == quote;
      if (!is_doubled) {
        return at + 1;
      }
      ++at;
    }
  }
  return line.size();
}

/// Behind a key or plain text: before ": ", " #" and what ends an item in brackets.
std::size_t behind_plain(std::string_view line, std::size_t at) {
  auto end = at;
  for (; end < line.size(); ++end) {
    const bool ends_word = end + 1 == line.size() || line[end + 1] == ' ';
    const bool is_comment = line[end] == '#' && end > at && line[end - 1] == ' ';
    if ((line[end] == ':' && ends_word) || is_comment || line[end] == ',' || line[end] == ']'
        || line[end] == '}') {
      break;
    }
  }
  while (end > at && (line[end - 1] == ' ' || line[end - 1] == '\t')) {
    --end;
  }
  return end;
}

constexpr int k_most_lines = 1000; // of one list or map in brackets

} // namespace

TextLines::TextLines(std::string_view text) {
  while (true) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    m_lines.push_back(line);
    if (end == std::string_view::npos) {
      return;
    }
    text.remove_prefix(end + 1);
  }
}

std::string_view TextLines::line(int number) const {
  return m_lines[static_cast<std::size_t>(number) - 1];
}

TextPlace TextLines::end_of_collection(int number, std::size_t at) const {
  int depth = 0;
  const auto last = std::min(static_cast<int>(m_lines.size()), number + k_most_lines);
  for (int current = number; current <= last; ++current) {
    const auto text = line(current);
    for (std::size_t i = current == number ? at : 0; i < text.size(); ++i) {
      const char c = text[i];
      if (c == '"' || c == '\'') {
        i = behind_quotes(text, i) - 1;
      } else if (c == '[' || c == '{') {
        ++depth;
      } else if ((c == ']' || c == '}') && --depth == 0) {
        return {current, column_at_byte(text, i + 1)};
      }
    }
  }
  return {number, column_at_byte(line(number), line(number).size())};
}

TextPlace TextLines::end_of(TextPlace begin) const {
  if (begin.line < 1 || begin.line > static_cast<int>(m_lines.size()) || begin.column < 1) {
    return {};
  }
  const auto text = line(begin.line);
  const auto at = byte_at_column(text, begin.column);
  if (at == std::string_view::npos || at >= text.size()) {
    return {begin.line, begin.column};
  }
  const char first = text[at];
  if (first == '[' || first == '{') {
    return end_of_collection(begin.line, at);
  }
  const auto end = first == '"' || first == '\'' ? behind_quotes(text, at) : behind_plain(text, at);
  return {begin.line, column_at_byte(text, std::max(end, at + 1))};
}

} // namespace pyro::spec
