#include "html_page.hpp"

#include <pyro/base/safe_text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace pyro::cli {

namespace {

constexpr std::string_view k_style = R"(
:root { color-scheme: light dark; --text: #222428; --dim: #646870; --line: #dcdee2; --page: #fff; --card: #f5f6f8;
  --good: #17703a; --bad: #b3261e; --busy: #8a5300; --bar: #a9aeb8; --mark: #d9622b }
@media (prefers-color-scheme: dark) { :root { --text: #e3e5e9; --dim: #9ca1ab; --line: #363a42; --page: #17191d;
  --card: #202329; --good: #62c684; --bad: #ff8a80; --busy: #e8b04f; --bar: #626874; --mark: #f0885a } }
* { box-sizing: border-box }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72em; margin: 0 auto; padding: 2em 1.2em 4em; color: var(--text);
  background: var(--page) }
h1 { font-size: 1.7em; line-height: 1.2; margin: 0; overflow-wrap: anywhere } h1 .badge { vertical-align: .25em; margin-left: .4em }
h2 { font-size: 1.15em; margin: 2.2em 0 .6em; padding-top: .9em; border-top: 1px solid var(--line) }
p { margin: .4em 0; overflow-wrap: anywhere }
.dim { color: var(--dim) } .good { color: var(--good) } .bad { color: var(--bad) } .busy { color: var(--busy) }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5em, 1fr)); gap: .7em; margin: 1.4em 0 }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .6em .9em }
.card b { display: block; font-size: 1.3em; font-weight: 600 } .card span { color: var(--dim); font-size: .9em }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1em 1.2em; margin: 0 } dt { color: var(--dim) }
dd { margin: 0; min-width: 0; overflow-wrap: anywhere }
.wide { overflow-x: auto }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .35em 1em .35em 0; border-bottom: 1px solid var(--line) }
th { font-weight: 500; font-size: .85em; color: var(--dim); white-space: nowrap } td:last-child, th:last-child { padding-right: 0 }
.badge { display: inline-block; font-size: .85em; line-height: 1.4; padding: 0 .6em; border: 1px solid currentColor;
  border-radius: 1em; white-space: nowrap; font-weight: 500 }
.track { display: block; min-width: 7em; height: .8em; margin-top: .35em; background: var(--card); border-radius: 3px }
.bar { display: block; height: 100%; min-width: 2px; background: var(--bar); border-radius: 3px } .mark { background: var(--mark) }
.number { white-space: nowrap }
details summary { cursor: pointer } .drawing { overflow-x: auto; background: var(--card); border: 1px solid var(--line);
  border-radius: 8px; padding: .6em } .drawing svg { display: block; max-width: 100%; height: auto; margin: 0 auto }
@media (max-width: 40em) { body { padding-top: 1.2em }
  table, tbody { display: block } tr { display: block; border-bottom: 1px solid var(--line); padding: .45em 0 }
  tr.head { display: none } td { display: inline-block; border: 0; padding: .05em .9em .05em 0 } td.long { display: block }
  td:empty { display: none } }
@media print { .wide, .drawing { overflow: visible } }
)";

} // namespace

std::string html(std::string_view text) {
  std::string result;
  for (const char c : escape_controls(to_utf8(text))) {
    result += c == '<'    ? std::string("&lt;")
              : c == '>'  ? std::string("&gt;")
              : c == '&'  ? std::string("&amp;")
              : c == '"'  ? std::string("&quot;")
              : c == '\'' ? std::string("&#39;")
                          : std::string(1, c);
  }
  return result;
}

std::string html_code(std::string_view text) {
  return text.empty() ? "" : "<code>" + html(text) + "</code>";
}

std::string html_number(std::string_view text) {
  return "<span class=\"number\">" + html(text) + "</span>";
}

std::string html_badge(std::string_view text, const char* kind) {
  return text.empty() ? "" : fmt::format("<span class=\"badge {}\">{}</span>", kind, html(text));
}

std::string html_bar(double from, double to, bool is_marked) {
  const auto start = std::clamp(100 * from, 0.0, 100.0);
  const auto width = std::clamp(100 * (to - from), 0.0, 100.0 - start);
  return fmt::format(
      "<span class=\"track\"><span class=\"bar{}\" style=\"margin-left: {:.1f}%; width: "
      "{:.1f}%\"></span></span>",
      is_marked ? " mark" : "", start, width);
}

std::string html_row(const std::vector<std::string>& cells) {
  std::string text = "<tr>";
  for (const auto& content : cells) {
    const bool is_long = content.size() > 60; // on a narrow screen it has a line of its own
    text += fmt::format("<td{}>{}</td>", is_long ? " class=\"long\"" : "", content);
  }
  return text + "</tr>\n";
}

std::string
html_table(const std::vector<std::string>& head, const std::string& rows, std::string_view nothing) {
  if (rows.empty()) {
    return fmt::format("<p class=\"dim\">{}</p>\n", html(nothing));
  }
  std::string names;
  for (const auto& name : head) {
    names += "<th>" + html(name) + "</th>";
  }
  return fmt::format(
      "<div class=\"wide\"><table>\n<tr class=\"head\">{}</tr>\n{}</table></div>\n", names, rows);
}

std::string html_page(std::string_view title, const std::string& body) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'\">\n"
      "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n{}</body>\n</html>\n",
      html(title), k_style, body);
}

} // namespace pyro::cli
