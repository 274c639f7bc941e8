#include "yaml_open.hpp"

#include <algorithm>

namespace pyro::spec {

namespace {

/// Of the quote that ends what begins with one at `at`.
std::size_t end_of_quoted(std::string_view text, std::size_t at) {
  const char quote = text[at];
  for (std::size_t i = at + 1; i < text.size(); ++i) {
    const bool is_escape = quote == '"' ? text[i] == '\\' : text.substr(i, 2) == "''";
    if (is_escape) {
      ++i;
    } else if (text[i] == quote) {
      return i;
    }
  }
  return text.size();
}

class Scan {
public:
  Scan(std::string_view text, std::size_t end) : m_text(text), m_end(std::min(end, text.size())) {}

  LeftOpen run() {
    while (m_at < m_end) {
      const auto line_end = std::min(m_text.find('\n', m_at), m_text.size());
      if (is_in_block(m_text.substr(m_at, line_end - m_at))) {
        m_at = line_end + 1;
      } else if (!read_line()) {
        break;
      }
    }
    return std::move(m_found);
  }

private:
  /// A text after | or > goes on as long as its lines are indented.
  bool is_in_block(std::string_view line) {
    const auto indentation = line.find_first_not_of(' ');
    if (m_block && indentation != std::string_view::npos && indentation <= *m_block) {
      m_block.reset();
    }
    m_indentation = indentation == std::string_view::npos ? 0 : indentation;
    return m_block.has_value();
  }

  /// From m_at to behind the end of the line that is reached. False: a bracket closes what is not open.
  bool read_line() {
    bool begins_value = true;
    char before = ' ';
    for (; m_at < m_end && m_text[m_at] != '\n'; ++m_at) {
      const char c = m_text[m_at];
      if (c == '#' && before == ' ') {
        m_at = std::min(m_text.find('\n', m_at), m_text.size());
        break;
      }
      if (c != ' ') {
        if (begins_value && (c == '"' || c == '\'')) {
          skip_quoted();
        } else if (!read_bracket(c, begins_value)) {
          return false;
        } else if (begins_value && (c == '|' || c == '>') && m_found.brackets.empty()) {
          m_block = m_indentation;
        }
      }
      begins_value = c == ' ' ? begins_value : std::string_view(":-,[{?").find(c) != std::string_view::npos;
      before = c;
    }
    ++m_at;
    return true;
  }

  void skip_quoted() {
    const QuotedText quoted{m_at, end_of_quoted(m_text, m_at)};
    if (m_text.substr(quoted.begin, quoted.end - quoted.begin).find('\n') != std::string_view::npos) {
      m_found.last_quoted = quoted;
    }
    m_at = quoted.end;
  }

  bool read_bracket(char c, bool begins_value) {
    auto& open = m_found.brackets;
    if ((c == '[' || c == '{') && (begins_value || !open.empty())) {
      open.push_back(m_at);
    } else if ((c == ']' || c == '}') && !open.empty()) {
      if (m_text[open.back()] != (c == ']' ? '[' : '{')) {
        return false;
      }
      open.pop_back();
    }
    return true;
  }

  std::string_view m_text;
  std::size_t m_end;
  std::size_t m_at = 0;
  std::size_t m_indentation = 0;      // of the present line
  std::optional<std::size_t> m_block; // indentation of the line that began a text after | or >
  LeftOpen m_found;
};

} // namespace

int column_of(std::string_view line, std::size_t byte) {
  const auto before = line.substr(0, byte);
  return 1 + static_cast<int>(std::count_if(before.begin(), before.end(), [](char c) {
           return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
         }));
}

bool is_open_quote(std::string_view text, std::size_t at) {
  return (text[at] == '"' || text[at] == '\'') && end_of_quoted(text, at) == text.size();
}

LeftOpen left_open(std::string_view text, std::size_t end) {
  return Scan(text, end).run();
}

} // namespace pyro::spec
