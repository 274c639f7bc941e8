#include "style.hpp"

#include <pyro/base/error.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace pyro::cli {

namespace {

/// Bytes of the character or escape sequence that starts here, and whether it takes a column.
std::pair<std::size_t, bool> next_unit(std::string_view text) {
  if (text.starts_with("\x1b[")) {
    const auto end = text.find('m');
    return {end == std::string_view::npos ? text.size() : end + 1, false};
  }
  std::size_t length = 1;
  while (length < text.size() && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80) {
    ++length;
  }
  return {length, true};
}

} // namespace

std::string Style::paint(std::string_view code, std::string_view text) const {
  return color ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
}

std::size_t width_of(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const auto [length, visible] = next_unit(text);
    width += visible ? 1 : 0;
    text.remove_prefix(length);
  }
  return width;
}

std::string fitted(std::string_view text, std::size_t columns) {
  if (width_of(text) <= columns) {
    return std::string(text);
  }
  std::string cut;
  std::size_t width = 0;
  while (!text.empty()) {
    const auto [length, visible] = next_unit(text);
    if (visible && width + 1 >= columns) {
      break;
    }
    width += visible ? 1 : 0;
    cut += text.substr(0, length);
    text.remove_prefix(length);
  }
  return cut + "…";
}

std::string Table::text() const {
  std::vector<std::size_t> widths;
  for (const auto& row : m_rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], width_of(row[i]));
    }
  }
  std::string text;
  for (const auto& row : m_rows) {
    std::string line = m_indent;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (widths[i] > 0) { // a column that is empty in every row takes no room
        line += row[i] + std::string(widths[i] - width_of(row[i]) + 2, ' ');
      }
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

} // namespace pyro::cli
