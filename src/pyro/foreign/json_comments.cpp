#include "json_comments.hpp"

#include <algorithm>

namespace pyro::foreign {

namespace {

/// Behind a string that begins at `at`.
std::size_t behind_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    at += text[at] == '\\' ? 1U : 0U;
  }
  return std::min(at + 1, text.size());
}

} // namespace

std::string without_comments(std::string_view text) {
  std::string result(text);
  std::size_t comma = std::string::npos; // nothing but blanks stands behind it
  for (std::size_t at = 0; at < result.size();) {
    if (result[at] == '"') {
      comma = std::string::npos;
      at = behind_string(text, at);
    } else if (text.substr(at, 2) == "//" || text.substr(at, 2) == "/*") {
      const bool is_line = text[at + 1] == '/';
      const auto end = is_line ? text.find('\n', at) : text.find("*/", at + 2);
      const auto stop = end == std::string_view::npos ? text.size() : is_line ? end : end + 2;
      for (; at < stop; ++at) {
        result[at] = result[at] == '\n' ? '\n' : ' ';
      }
    } else {
      const char c = result[at];
      if ((c == '}' || c == ']') && comma != std::string::npos) {
        result[comma] = ' ';
      }
      if (c == ',') {
        comma = at;
      } else if (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
        comma = std::string::npos;
      }
      result[at] = c == '\t' ? ' ' : c;
      ++at;
    }
  }
  return result;
}

} // namespace pyro::foreign
