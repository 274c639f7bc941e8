// Pieces of a page that stands alone: no script, nothing from elsewhere; text of others is text in it. What
// is on the report is in html_report.hpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pyro::cli {

/// Text as a page shows it: nothing in it is markup, and nothing of it moves a terminal.
std::string html(std::string_view text);

std::string html_code(std::string_view text);

/// A number with its unit, which stay on one line.
std::string html_number(std::string_view text);

/// Text in a pill of one color: "good", "bad", "busy" or "dim".
std::string html_badge(std::string_view text, const char* kind);

/// A bar from `from` to `to`, each a share of the whole.
std::string html_bar(double from, double to, bool is_marked);

/// `cells` are HTML.
std::string html_row(const std::vector<std::string>& cells);

/// `rows` are rows; with none the sentence `nothing`.
std::string
html_table(const std::vector<std::string>& head, const std::string& rows, std::string_view nothing);

/// The page around its body.
std::string html_page(std::string_view title, const std::string& body);

} // namespace pyro::cli
