#include "yaml_explain.hpp"

#include "yaml_open.hpp"

#include <algorithm>

namespace pyro::spec {

namespace {

/// Length of the well-formed UTF-8 sequence at the front, 0 if there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return static_cast<unsigned char>(text[i]);
  };
  const auto follows = [&](std::size_t i) {
    return i < text.size() && (byte(i) & 0xC0) == 0x80;
  };
  const unsigned char lead = byte(0);
  if (lead < 0x80) {
    return 1;
  }
  if (lead >= 0xC2 && lead <= 0xDF) {
    return follows(1) ? 2 : 0;
  }
  if (lead >= 0xE0 && lead <= 0xEF && follows(1) && follows(2)) {
    const bool overlong = lead == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = lead == 0xED && byte(1) > 0x9F;
    return overlong || surrogate ? 0 : 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4 && follows(1) && follows(2) && follows(3)) {
    const bool overlong = lead == 0xF0 && byte(1) < 0x90;
    const bool beyond = lead == 0xF4 && byte(1) > 0x8F;
    return overlong || beyond ? 0 : 4;
  }
  return 0;
}

bool is_of_a_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t") == std::string_view::npos;
}

Diagnostic yaml_error(Position place, std::string message, std::string hint) {
  return {Severity::error, "yaml", std::move(place), "", std::move(message), std::move(hint), std::nullopt};
}

struct Trap {
  std::size_t column = 0; // from 0
  std::string_view message;
  std::string_view hint;
};

bool value_starts_at(std::string_view line, std::size_t at) {
  const auto before = line.substr(0, at);
  const auto last = before.find_last_not_of(' ');
  return last != std::string_view::npos
         && std::string_view(":-,[{").find(before[last]) != std::string_view::npos;
}

/// An unquoted value that contains ${…} between { and }.
std::optional<Trap> interpolation_in_flow_map(std::string_view line) {
  int braces = 0;
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote != 0) {
      quote = c == quote ? '\0' : quote;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '$' && i + 1 < line.size() && line[i + 1] == '{') {
      if (braces > 0) {
        return Trap{i, "'${' starts a nested map here", "quote values that contain ${…} inside { }"};
      }
      ++i;
    } else if (c == '{') {
      ++braces;
    } else if (c == '}') {
      --braces;
    }
  }
  return std::nullopt;
}

std::optional<Trap> bad_first_character(std::string_view line) {
  for (std::size_t i = 1; i < line.size(); ++i) {
    if (!value_starts_at(line, i)) {
      continue;
    }
    switch (line[i]) {
    case '*':
      return Trap{i, "'*' at the start of a value is an alias", "quote patterns that start with '*'"};
    case '@':
    case '%':
    case '`':
      return Trap{i, "this character cannot start a value", "quote this value"};
    case '&':
    case '!':
      return Trap{i, "'&' and '!' at the start of a value name anchors and tags", "quote this value"};
    default:
      break;
    }
  }
  return std::nullopt;
}

std::optional<Trap> second_colon(std::string_view line) {
  const auto first = line.find(": ");
  if (first == std::string_view::npos) {
    return std::nullopt;
  }
  const auto value = line.find_first_not_of(' ', first + 1);
  if (value == std::string_view::npos
      || std::string_view("\"'{[|>").find(line[value]) != std::string_view::npos) {
    return std::nullopt;
  }
  const auto second = line.find(": ", value);
  if (second == std::string_view::npos && !line.ends_with(':')) {
    return std::nullopt;
  }
  return Trap{value, "this value contains ': ' and so looks like a map", "quote values that contain ': '"};
}

std::optional<Diagnostic> trap_on_line(std::string_view text, const std::string& file, int line) {
  const auto content = line_of(text, line);
  const auto tab = content.find('\t');
  if (tab != std::string_view::npos && tab < content.find_first_not_of(" \t")) {
    return Diagnostic{Severity::error,
                      "tab",
                      {file, line, static_cast<int>(tab) + 1},
                      "",
                      "a tab cannot indent in YAML",
                      "use spaces",
                      std::nullopt};
  }
  for (const auto trap :
       {interpolation_in_flow_map(content), bad_first_character(content), second_colon(content)}) {
    if (trap) {
      return yaml_error(
          {file, line, column_of(content, trap->column)}, std::string(trap->message),
          std::string(trap->hint));
    }
  }
  return std::nullopt;
}

} // namespace

std::string_view line_of(std::string_view text, int line) {
  for (int i = 1; i < line; ++i) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) {
      return {};
    }
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

std::optional<Diagnostic> check_text(std::string_view text, const std::string& file) {
  int line = 1;
  int column = 1;
  for (std::size_t i = 0; i < text.size();) {
    const auto length = utf8_length(text.substr(i));
    const char c = text[i];
    const Position place{file, line, column};
    if (length == 0) {
      return Diagnostic{Severity::error,          "encoding",  place, "", "this is not UTF-8",
                        "save the file as UTF-8", std::nullopt};
    }
    const auto code = static_cast<unsigned char>(c);
    if ((code < 0x20 && c != '\n' && c != '\t') || code == 0x7F) {
      return Diagnostic{
          Severity::error, "encoding",  place, "", fmt::format("control character 0x{:02x}", code),
          "remove it",     std::nullopt};
    }
    if (c == '\t' && column == 1 && !is_blank(line_of(text.substr(i), 1))) {
      return Diagnostic{Severity::error, "tab",       place, "", "a tab cannot indent in YAML",
                        "use spaces",    std::nullopt};
    }
    line += c == '\n' ? 1 : 0;
    column = c == '\n' ? 1 : column + 1;
    i += length;
  }
  return std::nullopt;
}

Diagnostic
explain_yaml_error(std::string_view text, std::size_t at, const Position& place, const std::string& message) {
  const auto position_of = [&](std::size_t byte) {
    const auto before = text.substr(0, byte);
    const auto line_begin = before.rfind('\n') + 1; // npos + 1 is 0
    const auto line = static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1;
    return Position{place.file, line, column_of(text.substr(line_begin), byte - line_begin)};
  };
  constexpr std::string_view k_no_anchor = "the referenced anchor is not defined: ";
  if (const auto name = std::string_view(message); name.starts_with(k_no_anchor)) {
    const auto anchor = name.substr(k_no_anchor.size());
    if (std::all_of(anchor.begin(), anchor.end(), is_of_a_word)) {
      return yaml_error(
          place, fmt::format("nothing above is named &{}", anchor), "quote the value if no alias is meant");
    }
  }
  if (auto trap = trap_on_line(text, place.file, place.line)) {
    return *trap;
  }
  const auto open = left_open(text, at);
  if (open.last_quoted) {
    const auto end = position_of(open.last_quoted->end);
    if (open.last_quoted->end == text.size()) {
      return yaml_error(
          position_of(open.last_quoted->begin), "the quote that begins here has no end",
          fmt::format("close it with {}", text[open.last_quoted->begin]));
    }
    if (end.line == place.line || end.line + 1 == place.line) {
      return yaml_error(
          position_of(open.last_quoted->begin),
          fmt::format("the quote that begins here ends only at {}", to_string(end)),
          fmt::format("close it with {} where its text ends", text[open.last_quoted->begin]));
    }
  }
  if (!open.brackets.empty()) {
    const char bracket = text[open.brackets.back()];
    return yaml_error(
        position_of(open.brackets.back()), fmt::format("the {} that begins here is not closed", bracket),
        fmt::format("close it with {}", bracket == '[' ? ']' : '}'));
  }
  if (place.line > 1) { // the scanner often notices only on the next line
    if (auto trap = trap_on_line(text, place.file, place.line - 1)) {
      return *trap;
    }
  }
  if (message == "end of map not found" || message == "end of sequence not found") {
    return yaml_error(
        place, "this does not belong to what stands above it",
        fmt::format("{} blanks are before it: indent it as its neighbours are", place.column - 1));
  }
  return yaml_error(place, fmt::format("this is not valid YAML: {}", message), "");
}

} // namespace pyro::spec
