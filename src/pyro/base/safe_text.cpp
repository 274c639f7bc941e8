#include "safe_text.hpp"

#include "error.hpp"
#include "text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace pyro {

namespace {

constexpr std::string_view k_replacement = "\xEF\xBF\xBD";

struct Range {
  char32_t first;
  char32_t last;
};

// U+200C and U+200D are left: they join letters and emoji, and neither reorder nor drive anything.
constexpr std::array k_hidden{Range{0x00, 0x08},      Range{0x0A, 0x1F},     Range{0x7F, 0x9F},
                              Range{0xAD, 0xAD},      Range{0x061C, 0x061C}, Range{0x180E, 0x180E},
                              Range{0x200B, 0x200B},  Range{0x200E, 0x200F}, Range{0x2028, 0x202E},
                              Range{0x2060, 0x206F},  Range{0xFEFF, 0xFEFF}, Range{0xFFF9, 0xFFFB},
                              Range{0xE0000, 0xE0FFF}};

struct Character {
  char32_t code = 0;
  std::size_t length = 0; // in bytes; 0: the first byte begins none
};

/// The well-formed UTF-8 character at the beginning.
Character character_at(std::string_view bytes) {
  const auto at = [&](std::size_t i) {
    return static_cast<unsigned char>(bytes[i]);
  };
  const unsigned char first = at(0);
  if (first < 0x80) {
    return {first, 1};
  }
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || bytes.size() < length) {
    return {};
  }
  char32_t code = first & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xC0) != 0x80) {
      return {};
    }
    code = (code << 6) | (at(i) & 0x3FU);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool outside = (code >= 0xD800 && code <= 0xDFFF) || code > 0x10FFFF;
  return overlong || outside ? Character{} : Character{code, length};
}

std::string escaped(char32_t code) {
  switch (code) {
  case '\n':
    return "\\n";
  case '\r':
    return "\\r";
  default:
    const auto number = static_cast<unsigned>(code);
    return code < 0x80      ? fmt::format("\\x{:02x}", number)
           : code < 0x10000 ? fmt::format("\\u{:04x}", number)
                            : fmt::format("\\U{:08x}", number);
  }
}

/// Bytes of a colour of ours at the beginning; 0: there is none.
std::size_t color_length(std::string_view text) {
  if (!text.starts_with("\x1b[")) {
    return 0;
  }
  const auto end = text.find_first_not_of("0123456789;", 2);
  return end != std::string_view::npos && text[end] == 'm' ? end + 1 : 0;
}

std::string escape(std::string_view bytes, bool keeps_lines, bool keeps_colors) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const auto color = keeps_colors ? color_length(bytes) : 0;
    const auto character = character_at(bytes);
    const auto length = color > 0 ? color : std::max<std::size_t>(1, character.length);
    if (color == 0 && character.length == 0) {
      text += fmt::format("\\x{:02x}", static_cast<unsigned char>(bytes[0]));
    } else if (
        color == 0 && is_hidden_character(character.code) && !(keeps_lines && character.code == '\n')) {
      text += escaped(character.code);
    } else {
      text += bytes.substr(0, length);
    }
    bytes.remove_prefix(length);
  }
  return text;
}

std::string json_escaped(char32_t code) {
  if (code < 0x10000) {
    return fmt::format("\\u{:04x}", static_cast<unsigned>(code));
  }
  const auto rest = static_cast<unsigned>(code) - 0x10000;
  return fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (rest >> 10), 0xDC00 + (rest & 0x3FF));
}

} // namespace

bool is_hidden_character(char32_t character) {
  return std::any_of(k_hidden.begin(), k_hidden.end(), [&](const Range& range) {
    return character >= range.first && character <= range.last;
  });
}

bool is_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto length = character_at(bytes).length;
    if (length == 0) {
      return false;
    }
    bytes.remove_prefix(length);
  }
  return true;
}

bool has_control_characters(std::string_view bytes) {
  return std::any_of(
      bytes.begin(), bytes.end(), [](unsigned char byte) { return byte < ' ' || byte == 0x7f; });
}

void require_utf8(std::string_view bytes, std::string_view what) {
  if (!is_utf8(bytes)) {
    throw Error(ErrorCode::usage, "{} is not UTF-8: {}", what, escape_controls(bytes))
        .with_hint("what has such a name can be reached by a shell inside: pyro exec -- sh -c '…'");
  }
}

std::string to_utf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const auto length = character_at(bytes).length;
    text += length == 0 ? k_replacement : bytes.substr(0, length);
    bytes.remove_prefix(std::max<std::size_t>(1, length));
  }
  return text;
}

std::string escape_controls(std::string_view text) {
  return escape(text, false, false);
}

std::string escape_lines(std::string_view text) {
  return escape(text, true, false);
}

std::string escape_painted(std::string_view text) {
  return escape(text, true, true);
}

std::string escape_json(std::string_view json) {
  std::string text;
  text.reserve(json.size());
  while (!json.empty()) {
    const auto character = character_at(json);
    const auto length = std::max<std::size_t>(1, character.length);
    // Below U+007F only line ends are left: the writer has escaped what stands in texts.
    if (character.code >= 0x7F && is_hidden_character(character.code)) {
      text += json_escaped(character.code);
    } else {
      text += json.substr(0, length);
    }
    json.remove_prefix(length);
  }
  return text;
}

std::string escape_workflow_commands(std::string_view text) {
  std::string result;
  const auto is_ended = text.ends_with('\n');
  for (const auto whole : lines_of(text)) {
    auto line = std::string(whole);
    // The runner trims what is no letter in front, and looks for "##[" anywhere.
    const auto first = line.find_first_not_of(" \t\r\v\f");
    if (first != std::string::npos && line.compare(first, 2, "::") == 0) {
      line.replace(first, 2, "\\x3a:");
    }
    for (auto at = line.find("##["); at != std::string::npos; at = line.find("##[", at)) {
      line.replace(at, 3, "#\\x23[");
    }
    result += line + "\n";
  }
  if (!is_ended && !result.empty()) {
    result.pop_back();
  }
  return result;
}

} // namespace pyro
