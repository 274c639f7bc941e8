#include "json_escapes.hpp"

#include <pyro/base/json_text.hpp>

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

namespace pyro::spec {

namespace {

constexpr std::size_t k_escape = 6; // \uXXXX
constexpr std::size_t k_shorter = 2 * k_escape - std::string_view(R"(\UXXXXXXXX)").size();

std::optional<unsigned> unit_at(std::string_view text, std::size_t at) {
  const auto piece = at <= text.size() ? text.substr(at, k_escape) : std::string_view();
  if (piece.size() != k_escape || !piece.starts_with("\\u")) {
    return std::nullopt;
  }
  unsigned value = 0;
  const auto* end = piece.data() + piece.size();
  const auto [stop, error] = std::from_chars(piece.data() + 2, end, value, 16);
  return error == std::errc() && stop == end ? std::optional(value) : std::nullopt;
}

/// The character that the pair of escapes there stands for.
std::optional<unsigned> pair_at(std::string_view text, std::size_t at) {
  const auto high = unit_at(text, at);
  const auto low = unit_at(text, at + k_escape);
  if (!high || !low || *high < 0xD800 || *high > 0xDBFF || *low < 0xDC00 || *low > 0xDFFF) {
    return std::nullopt;
  }
  return 0x10000 + ((*high - 0xD800) << 10) + (*low - 0xDC00);
}

bool is_json_with_pairs(const std::string& text) {
  const auto start = text.find_first_not_of(" \t\n");
  return start != std::string::npos && text[start] == '{'
         && (text.find("\\ud") != std::string::npos || text.find("\\uD") != std::string::npos)
         && maybe_parse_json(text).has_value();
}

} // namespace

std::string with_yaml_escapes(std::string text) {
  if (!is_json_with_pairs(text)) {
    return text;
  }
  std::string result;
  result.reserve(text.size());
  bool in_string = false;
  std::size_t lost = 0; // columns of this string
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (const auto character = in_string ? pair_at(text, at) : std::nullopt) {
      result += fmt::format("\\U{:08X}", *character);
      at += 2 * k_escape - 1;
      lost += k_shorter;
    } else if (in_string && text[at] == '\\') {
      result += text.substr(at, 2);
      ++at;
    } else {
      result += text[at];
      in_string = (text[at] == '"') != in_string;
      if (!in_string) {
        result.append(std::exchange(lost, 0), ' ');
      }
    }
  }
  return result;
}

} // namespace pyro::spec
