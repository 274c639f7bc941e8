#include "json_text.hpp"

#include "error.hpp"

namespace pyro {

bool is_deep_json(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char letter = text[at];
    if (in_string) {
      at += letter == '\\' ? 1 : 0;
      in_string = letter != '"';
    } else if (letter == '"') {
      in_string = true;
    } else if (letter == '[' || letter == '{') {
      if (++depth > k_max_json_depth) {
        return true;
      }
    } else if (letter == ']' || letter == '}') {
      --depth;
    }
  }
  return false;
}

std::optional<Json> maybe_parse_json(std::string_view text) {
  try {
    return parse_json(text, "it");
  } catch (const Error&) {
    return std::nullopt;
  }
}

} // namespace pyro
