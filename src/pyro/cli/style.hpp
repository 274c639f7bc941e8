// Text for people: colours that can be off, columns that line up, guest text that cannot drive the terminal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pyro::cli {

struct Style {
  bool color = false;

  std::string bold(std::string_view text) const { return paint("1", text); }

  std::string dim(std::string_view text) const { return paint("2", text); }

  std::string red(std::string_view text) const { return paint("31", text); }

  std::string green(std::string_view text) const { return paint("32", text); }

  std::string yellow(std::string_view text) const { return paint("33", text); }

private:
  std::string paint(std::string_view code, std::string_view text) const;
};

/// Columns of a terminal that the text takes: characters, not bytes; escape sequences of Style take none.
std::size_t width_of(std::string_view text);

/// The beginning of a text that fits, with … where something is cut off.
std::string fitted(std::string_view text, std::size_t columns);

/// Rows as lines, columns two spaces apart, no spaces at line ends. Cells are escaped already.
class Table {
public:
  explicit Table(std::string indent = "") : m_indent(std::move(indent)) {}

  void add(std::vector<std::string> row) { m_rows.push_back(std::move(row)); }

  bool empty() const { return m_rows.empty(); }

  std::string text() const;

private:
  std::string m_indent;
  std::vector<std::vector<std::string>> m_rows;
};

/// The lines of a text, without their ends.
std::vector<std::string> lines_of(std::string_view text);

} // namespace pyro::cli
