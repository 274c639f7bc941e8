#include "html_report.hpp"

#include "render_parts.hpp"

#include <pyro/base/safe_text.hpp>
#include <pyro/base/units.hpp>
#include <pyro/operations/version.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace pyro::cli {

namespace {

constexpr std::size_t k_most_drift = 500;

constexpr std::string_view k_style = R"(
body { font: 15px/1.5 system-ui, sans-serif; max-width: 75em; margin: 2em auto; padding: 0 1em; color: #222; background: #fff }
h1 { font-size: 1.5em } h2 { font-size: 1.15em; margin-top: 2em }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .25em .8em .25em 0; vertical-align: top }
th { border-bottom: 1px solid #999; font-weight: 600 } td { border-bottom: 1px solid #eee }
code, .mono { font: 13px ui-monospace, monospace } .dim { color: #777 } .bad { color: #b00 } .good { color: #070 }
.bar { display: inline-block; height: .7em; background: #c63; min-width: 1px }
@media (prefers-color-scheme: dark) {
  body { color: #ddd; background: #1a1a1a } td { border-color: #333 } .dim { color: #999 } .bad { color: #f77 } .good { color: #7c7 } }
)";

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

std::string text_in(const Json& object, std::string_view key) {
  return html(string_or(object, key, ""));
}

std::string html_row(const std::vector<std::string>& cells, const char* cell = "td") {
  std::string text = "<tr>";
  for (const auto& content : cells) {
    text += fmt::format("<{0}>{1}</{0}>", cell, content);
  }
  return text + "</tr>\n";
}

std::string html_table(const std::vector<std::string>& head, const std::string& rows, const char* nothing) {
  return rows.empty() ? fmt::format("<p class=\"dim\">{}</p>\n", nothing)
                      : fmt::format("<table>\n{}{}</table>\n", html_row(head, "th"), rows);
}

std::string html_code(const std::string& safe) {
  return "<code>" + safe + "</code>";
}

std::string elapsed_html(std::int64_t milliseconds) {
  return milliseconds > 0 ? html(format_elapsed(std::chrono::milliseconds(milliseconds))) : "";
}

bool is_unchanged(const Json& action) {
  const auto kind = string_or(action, "action", "");
  return kind == "noop" || kind == "cached" || kind == "note";
}

std::string plan_part(const Json& plan) {
  std::string rows;
  std::size_t idle = 0;
  for (const auto& action : list_at(plan, "actions")) {
    const auto& reason = value_at(action, "reason");
    idle += is_unchanged(action) ? 1 : 0;
    if (is_unchanged(action)) {
      continue;
    }
    const auto line = int_or(reason, "line", 0);
    rows += html_row(
        {html_code(text_in(action, "address")), text_in(action, "action"), text_in(reason, "text"),
         line > 0 ? html_code(html(fmt::format("{}:{}", string_or(reason, "file", ""), line))) : "",
         elapsed_html(int_or(action, "cost_ms", 0)),
         html(std::to_string(list_at(action, "discards").size()))});
  }
  auto text = "<h2>Plan</h2>\n"
              + html_table({"address", "action", "why", "where", "about", "discards"}, rows, "No changes.");
  text += fmt::format("<p class=\"dim\">{} unchanged</p>\n", idle);
  for (const auto& diagnostic : list_at(plan, "diagnostics")) {
    text += fmt::format(
        "<p class=\"bad\">{} {}: {}</p>\n", text_in(diagnostic, "severity"),
        html_code(text_in(diagnostic, "address")), text_in(diagnostic, "message"));
  }
  return text;
}

/// Layers in the order in which they stand on one another, with what building each cost.
std::string layers_part(const Json& plan) {
  std::int64_t most = 1;
  for (const auto& action : list_at(plan, "actions")) {
    most = std::max(most, int_or(action, "cost_ms", 0));
  }
  std::string rows;
  for (const auto& action : list_at(plan, "actions")) {
    const auto key = string_or(action, "key", "");
    if (key.empty()) {
      continue;
    }
    const auto cost = int_or(action, "cost_ms", 0);
    const auto share = std::clamp<std::int64_t>(100 * cost / most, 0, 100);
    rows += html_row(
        {html_code(text_in(action, "address")),
         is_unchanged(action) ? "<span class=\"good\">in the store</span>" : text_in(action, "action"),
         html_code(html(key.substr(0, 12))), elapsed_html(cost),
         cost > 0 ? fmt::format("<span class=\"bar\" style=\"width: {}%\"></span>", share) : ""});
  }
  return "<h2>Layers and what they cost</h2>\n"
         + html_table({"address", "", "key", "time", ""}, rows, "There are none.");
}

std::string services_part(const Json& status) {
  std::string rows;
  for (const auto& service : list_at(status, "services")) {
    const auto state = string_or(service, "state", "");
    const bool is_well = state == "ready" || state == "running" || state == "completed";
    const auto started = epoch_at(service, "started_at");
    const auto ready = epoch_at(service, "ready_at");
    std::string places;
    for (const auto& port : list_at(status, "ports")) {
      if (string_or(port, "service", "") == string_or(service, "name", "")) {
        places += (places.empty() ? "" : ", ") + html(place_of(port));
      }
    }
    rows += html_row(
        {html_code(text_in(service, "name")),
         fmt::format("<span class=\"{}\">{}</span>", is_well ? "good" : "bad", html(state)),
         ready > started && started > 0 ? html(span_text(ready - started)) : "",
         html(std::to_string(int_or(service, "restarts", 0))), html_code(places),
         text_in(service, "reason")});
  }
  return "<h2>Services</h2>\n"
         + html_table(
             {"service", "state", "ready after", "restarts", "reached at", ""}, rows, "There are none.");
}

std::string snapshots_part(const Json& status) {
  std::string rows;
  for (const auto& snapshot : list_at(status, "snapshots")) {
    rows += html_row(
        {html_code(text_in(snapshot, "snapshot_name")), text_in(snapshot, "kind"), text_in(snapshot, "at")});
  }
  return "<h2>Snapshots</h2>\n" + html_table({"name", "kind", "at"}, rows, "There are none.");
}

std::string drift_part(const Json& drift) {
  const auto& entries = list_at(drift, "entries");
  std::string rows;
  for (std::size_t i = 0; i < std::min(k_most_drift, entries.size()); ++i) {
    rows += html_row({text_in(entries[i], "status"), html_code(text_in(entries[i], "path"))});
  }
  auto text = "<h2>Changed inside since it was made</h2>\n" + html_table({"", "path"}, rows, "Nothing.");
  if (entries.size() > k_most_drift) {
    text += fmt::format("<p>and {} more</p>\n", entries.size() - k_most_drift);
  }
  return text;
}

std::string head_part(const Json& status, const std::string& made_at) {
  const auto name = string_or(status, "name", "");
  std::string rows;
  for (const auto& [label, key] :
       {std::pair{"state", "state"},
        {"workspace", "workspace_id"},
        {"checkout", "checkout"},
        {"image", "environment"},
        {"backend", "backend"},
        {"description", "description"}}) {
    if (const auto value = string_or(status, key, ""); !value.empty()) {
      rows += html_row({label, html_code(html(value))});
    }
  }
  return fmt::format(
      "<h1>{}</h1>\n<p class=\"dim\">pyro {}, {}</p>\n{}",
      html(name.empty() ? "A workspace that is not there yet" : name), html(operations::version()),
      html(made_at), rows.empty() ? "" : "<table>\n" + rows + "</table>\n");
}

} // namespace

std::string html_report(const ReportParts& parts) {
  const auto status = parts.status.is_object() ? parts.status : Json::object();
  const auto name = string_or(status, "name", "pyro");
  auto body = head_part(status, parts.made_at);
  if (parts.plan.is_object()) {
    body += plan_part(parts.plan) + layers_part(parts.plan);
  }
  if (parts.status.is_object()) {
    body += services_part(parts.status) + snapshots_part(parts.status);
  }
  if (parts.drift.is_object()) {
    body += drift_part(parts.drift);
  }
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta "
      "http-equiv=\"Content-Security-Policy\" "
      "content=\"default-src 'none'; style-src "
      "'unsafe-inline'\">\n<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n"
      "{}</body>\n</html>\n",
      html(name), k_style, body);
}

} // namespace pyro::cli
