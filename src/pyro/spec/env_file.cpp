#include "env_file.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/safe_text.hpp>

#include <algorithm>

namespace pyro::spec {

namespace {

constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";

bool is_blank(char character) {
  return character == ' ' || character == '\t' || character == '\r';
}

bool is_digit(char character) {
  return character >= '0' && character <= '9';
}

bool is_letter(char character) {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') || character == '_';
}

/// Wider than `env`: programs read `spring.datasource.url` from there.
bool is_variable_name(std::string_view name) {
  return !name.empty() && !is_digit(name.front())
         && std::all_of(name.begin(), name.end(), [](char character) {
              return is_letter(character) || is_digit(character) || character == '.' || character == '-';
            });
}

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && is_blank(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

class EnvFileReader {
public:
  EnvFileReader(std::string_view text, const std::string& path, Variables& variables)
      : m_rest(text), m_path(path), m_variables(variables) {
    if (m_rest.starts_with(k_byte_order_mark)) {
      m_rest.remove_prefix(k_byte_order_mark.size());
    }
  }

  void read() {
    check_bytes();
    while (!m_rest.empty()) {
      read_statement();
    }
  }

private:
  [[noreturn]] void refuse(const std::string& message, const std::string& hint = "") const {
    throw Error(ErrorCode::invalid_file, "{}", message).at({m_path, m_line, 1}).with_hint(hint);
  }

  void check_bytes() {
    for (auto rest = m_rest; !rest.empty(); ++m_line) {
      const auto line = rest.substr(0, rest.find('\n'));
      if (line.find('\0') != std::string_view::npos) {
        refuse("a NUL byte, which no variable can hold");
      }
      if (!is_utf8(line)) {
        refuse("this line is not UTF-8", "store the file as UTF-8");
      }
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    }
    m_line = 1;
  }

  std::string_view take_line() {
    const auto line = m_rest.substr(0, m_rest.find('\n'));
    m_rest.remove_prefix(std::min(line.size() + 1, m_rest.size()));
    return line;
  }

  void read_statement() {
    const auto line = without_blanks(m_rest.substr(0, m_rest.find('\n')));
    if (line.empty() || line.front() == '#') {
      take_line();
      ++m_line;
      return;
    }
    const auto separator = m_rest.find_first_of("=:\n");
    if (separator == std::string_view::npos || m_rest[separator] == '\n') {
      refuse(
          "a line of an env file must be NAME=VALUE",
          "a variable of the caller is given as `env: {NAME: \"${env:NAME}\"}`");
    }
    const auto name = read_name(m_rest.substr(0, separator));
    m_rest.remove_prefix(separator + 1);
    while (!m_rest.empty() && is_blank(m_rest.front())) {
      m_has_blank = true;
      m_rest.remove_prefix(1);
    }
    const char quote = m_rest.empty() ? '\0' : m_rest.front();
    m_variables[name] = quote == '"' || quote == '\'' ? quoted(quote) : unquoted();
    m_has_blank = false;
    ++m_line;
  }

  std::string read_name(std::string_view written) const {
    auto name = without_blanks(written);
    constexpr std::string_view k_export = "export";
    if (name.starts_with(k_export) && name.size() > k_export.size() && is_blank(name[k_export.size()])) {
      name = without_blanks(name.substr(k_export.size()));
    }
    if (!is_variable_name(name)) {
      refuse(
          "what is before the '=' cannot be the name of a variable", // not shown: a line of a key, perhaps
          "letters, digits, '_', '.' and '-', no digit first");
    }
    return std::string(name);
  }

  std::string unquoted() {
    auto value = take_line();
    for (std::size_t at = 0; at < value.size(); ++at) {
      if (value[at] == '#' && (at == 0 ? m_has_blank : is_blank(value[at - 1]))) {
        value = value.substr(0, at);
      }
    }
    return with_references(std::string(without_blanks(value)));
  }

  /// To the closing quote, be it lines below; behind it only a comment.
  std::string quoted(char quote) {
    const int first_line = m_line;
    std::string value;
    std::size_t at = 1;
    for (; at < m_rest.size() && m_rest[at] != quote; ++at) {
      if (m_rest[at] == '\n') {
        ++m_line;
      }
      const char next = at + 1 < m_rest.size() ? m_rest[at + 1] : '\0';
      if (m_rest[at] == '\\' && next == quote) {
        value += quote;
        ++at;
      } else if (m_rest[at] == '\\' && quote == '"' && !escaped(next).empty()) {
        value += escaped(next);
        ++at;
      } else if (m_rest[at] == '\r' && next == '\n') {
        continue;
      } else {
        value += m_rest[at];
      }
    }
    if (at >= m_rest.size()) {
      m_line = first_line;
      refuse(fmt::format("the quote {} is not closed", quote));
    }
    m_rest.remove_prefix(at + 1);
    const auto behind = without_blanks(take_line());
    if (!behind.empty() && behind.front() != '#') {
      refuse("text behind the closing quote", "quote all of the value, or nothing of it");
    }
    return quote == '"' ? with_references(value) : value;
  }

  static std::string_view escaped(char character) {
    switch (character) {
    case 'n':
      return "\n";
    case 'r':
      return "\r";
    case 't':
      return "\t";
    case '\\':
      return "\\";
    default:
      return {};
    }
  }

  std::string with_references(const std::string& text) const {
    std::string value;
    for (std::size_t at = 0; at < text.size(); ++at) {
      const char next = at + 1 < text.size() ? text[at + 1] : '\0';
      if (text[at] != '$') {
        value += text[at];
      } else if (next == '$') {
        value += '$';
        ++at;
      } else if (next == '{' || is_letter(next)) {
        const auto begin = at + (next == '{' ? 2 : 1);
        auto end = begin;
        while (end < text.size() && (is_letter(text[end]) || is_digit(text[end]))) {
          ++end;
        }
        const bool is_closed = next != '{' || (end < text.size() && text[end] == '}');
        const auto found = m_variables.find(text.substr(begin, end - begin));
        if (!is_closed || found == m_variables.end()) {
          refuse(
              "the '$' in this value refers to no variable that an env file sets before",
              "put the value in single quotes to have it as it stands, or write $$ for a dollar sign; "
              "${NAME:-...} and variables of the caller belong into `env`");
        }
        value += found->second;
        at = next == '{' ? end : end - 1;
      } else {
        value += '$';
      }
    }
    return value;
  }

  std::string_view m_rest;
  const std::string& m_path;
  Variables& m_variables;
  int m_line = 1;
  bool m_has_blank = false; // between the separator and the value
};

} // namespace

void read_env_file(std::string_view text, const std::string& path, Variables& variables) {
  EnvFileReader(text, path, variables).read();
}

} // namespace pyro::spec
