#include "html_report.hpp"

#include "html_page.hpp"
#include "render.hpp"
#include "render_parts.hpp"

#include <pyro/base/units.hpp>
#include <pyro/operations/version.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace pyro::cli {

namespace {

constexpr std::size_t k_most_drift = 500;
constexpr std::size_t k_most_lost = 100;

std::string elapsed_html(std::int64_t milliseconds) {
  return milliseconds > 0 ? html_number(format_elapsed(std::chrono::milliseconds(milliseconds))) : "";
}

std::string section(const char* title, const std::string& content) {
  return fmt::format("<h2>{}</h2>\n{}", title, content);
}

bool is_unchanged(const Json& action) {
  const auto kind = string_or(action, "action", "");
  return kind == "noop" || kind == "cached" || kind == "note";
}

const char* look_of_action(const std::string& action) {
  return action == "reset" || action == "replace" || action == "destroy" || action == "forget" ? "bad"
                                                                                               : "busy";
}

const char* look_of_state(const std::string& state) {
  const bool is_well = state == "ready" || state == "running" || state == "completed" || state == "started";
  return is_well                                     ? "good"
         : state == "failed" || state == "exited"    ? "bad"
         : state == "starting" || state == "waiting" ? "busy"
                                                     : "dim";
}

std::string lost_files(const Json& action) {
  const auto& discards = list_at(action, "discards");
  if (discards.empty()) {
    return "";
  }
  std::string lines;
  for (std::size_t i = 0; i < std::min(k_most_lost, discards.size()); ++i) {
    lines += "<br>" + html_code(string_or(discards[i], "path", ""));
  }
  if (discards.size() > k_most_lost) {
    lines += fmt::format("<br>and {} more", discards.size() - k_most_lost);
  }
  return fmt::format(
      "<details class=\"bad\"><summary>discards {}</summary>{}</details>",
      counted(static_cast<std::int64_t>(discards.size()), "file"), lines);
}

/// The first of the files behind it.
std::string named_files(const Json& reason) {
  const auto files = reason.value("files", Json::object());
  std::string text;
  for (const auto& file : list_at(files, "named")) {
    text += fmt::format(
        "{}<span class=\"dim\">{}</span> {}", text.empty() ? "<br>" : ", ",
        html(string_or(file, "change", "")), html_code(string_or(file, "path", "")));
  }
  return text;
}

std::string plan_part(const Json& plan) {
  std::string rows;
  std::size_t idle = 0;
  for (const auto& action : list_at(plan, "actions")) {
    if (is_unchanged(action)) {
      ++idle;
      continue;
    }
    const auto& reason = value_at(action, "reason");
    const auto line = int_or(reason, "line", 0);
    const auto place =
        line > 0 ? html_code(fmt::format("{}:{}", string_or(reason, "file", ""), line)) : std::string();
    const auto kind = string_or(action, "action", "");
    rows += html_row(
        {html_badge(kind, look_of_action(kind)), html_code(string_or(action, "address", "")),
         html(string_or(reason, "text", "")) + named_files(reason) + lost_files(action), place,
         elapsed_html(int_or(action, "cost_ms", 0))});
  }
  auto text = html_table({"action", "address", "why", "where", "about"}, rows, "No changes.");
  for (const auto& diagnostic : list_at(plan, "diagnostics")) {
    const auto severity = string_or(diagnostic, "severity", "");
    text += fmt::format(
        "<p>{} {} {}</p>\n", html_badge(severity, severity == "error" ? "bad" : "busy"),
        html_code(string_or(diagnostic, "address", "")), html(string_or(diagnostic, "message", "")));
  }
  return section("Plan", text + fmt::format("<p class=\"dim\">{} unchanged</p>\n", idle));
}

/// The drawing is of our own making, and its text is text already.
std::string graph_part(const Json& graph) {
  return section("Graph", "<div class=\"drawing\">\n" + string_or(graph, "text", "") + "</div>\n");
}

std::string timing_part(const Json& timing) {
  const auto total = static_cast<double>(std::max<std::int64_t>(int_or(timing, "total_ms", 0), 1));
  std::string rows;
  for (const auto& action : list_at(timing, "actions")) {
    const auto start = int_or(action, "start_ms", 0);
    const auto took = int_or(action, "duration_ms", 0);
    rows += html_row(
        {html_code(string_or(action, "address", "")), html(string_or(action, "action", "")),
         elapsed_html(took)
             + (bool_or(action, "is_done", true) ? "" : " <span class=\"bad\">not done</span>"),
         html_bar(
             static_cast<double>(start) / total, static_cast<double>(start + took) / total,
             bool_or(action, "critical", false))});
  }
  auto text = html_table({"address", "action", "time", ""}, rows, "Nothing was done yet.");
  if (!rows.empty()) {
    text += fmt::format(
        "<p class=\"dim\">{} in all; {} of it, in color, is what the rest waited for.</p>\n",
        elapsed_html(int_or(timing, "total_ms", 0)), elapsed_html(int_or(timing, "critical_ms", 0)));
  }
  if (const auto failure = string_or(timing, "failure", ""); !failure.empty()) {
    text += "<p class=\"bad\">It failed: " + html(failure) + "</p>\n";
  }
  return section("Timings of the last apply", text);
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
    if (key.empty() || string_or(action, "address", "") == "workspace") {
      continue;
    }
    const auto cost = int_or(action, "cost_ms", 0);
    const auto kind = string_or(action, "action", "");
    rows += html_row(
        {html_code(string_or(action, "address", "")),
         is_unchanged(action) ? html_badge("in the store", "good") : html_badge(kind, look_of_action(kind)),
         html_code(key.substr(0, 12)), elapsed_html(cost),
         cost > 0 ? html_bar(0, static_cast<double>(cost) / static_cast<double>(most), false) : ""});
  }
  return section("Layers", html_table({"address", "", "key", "cost", ""}, rows, "There are none."));
}

std::string services_part(const Json& status) {
  std::string rows;
  for (const auto& service : list_at(status, "services")) {
    const auto state = string_or(service, "state", "");
    const auto started = epoch_at(service, "started_at");
    const auto ready = epoch_at(service, "ready_at");
    std::string places;
    for (const auto& port : list_at(status, "ports")) {
      if (string_or(port, "service", "") == string_or(service, "name", "")) {
        places += (places.empty() ? "" : "<br>") + html_code(place_of(port));
      }
    }
    const auto restarts = int_or(service, "restarts", 0);
    rows += html_row(
        {html_code(string_or(service, "name", "")), html_badge(state, look_of_state(state)),
         ready > started && started > 0 ? html_number(span_text(ready - started)) : "",
         restarts > 0 ? fmt::format("<span class=\"busy\">{}</span>", restarts) : "", places,
         html(string_or(service, "reason", ""))});
  }
  return section(
      "Services",
      html_table({"service", "state", "ready after", "restarts", "reached at", ""}, rows, "There are none."));
}

std::string snapshots_part(const Json& status) {
  std::string rows;
  for (const auto& snapshot : list_at(status, "snapshots")) {
    const auto parent = string_or(snapshot, "parent", "");
    rows += html_row(
        {html_code(string_or(snapshot, "snapshot_name", "")),
         bool_or(snapshot, "outdated", false) ? html_badge("outdated", "busy") : "",
         html(string_or(snapshot, "kind", "")), parent.empty() ? "" : "on " + html_code(parent),
         html_number(bytes_at(snapshot, "size_bytes"))});
  }
  return section("Snapshots", html_table({"name", "", "kind", "", "adds"}, rows, "There are none."));
}

std::string drift_part(const Json& drift) {
  const auto& entries = list_at(drift, "entries");
  std::string text;
  std::size_t shown = 0;
  for (const auto& group : list_at(drift, "causes")) {
    const auto cause = string_or(group, "cause", "");
    std::string rows;
    for (const auto& entry : entries) {
      if (string_or(entry, "cause", "") != cause || shown >= k_most_drift) {
        continue;
      }
      ++shown;
      const auto status = string_or(entry, "status", "");
      const auto origin = string_or(entry, "origin", "");
      const auto* look = status == "added" ? "good" : status == "deleted" ? "bad" : "busy";
      rows += html_row(
          {html_badge(status, look), html_code(string_or(entry, "path", "")),
           origin.empty() ? "" : "<span class=\"dim\">from " + html_code(origin) + "</span>"});
    }
    if (!rows.empty()) {
      text += fmt::format(
          "<p>{} <span class=\"dim\">{}</span></p>\n{}", html(text_at(group, "text")),
          int_or(group, "count", 0), html_table({"", "path", ""}, rows, ""));
    }
  }
  if (entries.size() > shown) {
    text += fmt::format("<p>and {} more</p>\n", entries.size() - shown);
  }
  return section("Drift", entries.empty() ? "<p class=\"dim\">Nothing was changed inside.</p>\n" : text);
}

std::string card(const std::string& value, const char* look, std::string_view label) {
  return fmt::format(
      "<div class=\"card\"><b class=\"{}\">{}</b><span>{}</span></div>\n", look, value, html(label));
}

std::string plan_card(const Json& plan) {
  const auto& actions = list_at(plan, "actions");
  const auto changes =
      std::count_if(actions.begin(), actions.end(), [](const auto& action) { return !is_unchanged(action); });
  const bool is_lossy = bool_or(plan, "needs_approval", false);
  return card(
      changes == 0 ? "none" : std::to_string(changes),
      changes == 0 ? "good"
      : is_lossy   ? "bad"
                   : "busy",
      is_lossy ? "changes planned; something would be lost" : "changes planned");
}

std::string services_card(const Json& status) {
  const auto& services = list_at(status, "services");
  const auto well = std::count_if(services.begin(), services.end(), [](const auto& service) {
    return look_of_state(string_or(service, "state", "")) == std::string_view("good");
  });
  const bool are_all = well == static_cast<std::ptrdiff_t>(services.size());
  return services.empty() ? ""
                          : card(
                              fmt::format("{} of {}", well, services.size()), are_all ? "good" : "bad",
                              "services are well");
}

std::string cards_of(const ReportParts& parts) {
  std::string cards;
  if (parts.plan.is_object()) {
    cards += plan_card(parts.plan);
  }
  if (parts.status.is_object()) {
    cards += services_card(parts.status);
  }
  if (parts.drift.is_object()) {
    const auto count = list_at(parts.drift, "entries").size();
    cards +=
        card(count == 0 ? "none" : std::to_string(count), count == 0 ? "good" : "busy", "changed inside");
  }
  if (parts.timing.is_object()) {
    cards += card(elapsed_html(int_or(parts.timing, "total_ms", 0)), "", "last apply");
  }
  return cards.empty() ? "" : "<div class=\"cards\">\n" + cards + "</div>\n";
}

std::string head_part(const Json& status, const std::string& made_at) {
  const auto name = string_or(status, "name", "");
  const auto state = string_or(status, "state", "");
  std::string facts;
  for (const auto& [label, key] :
       {std::pair{"image", "environment"},
        {"backend", "backend"},
        {"checkout", "checkout"},
        {"workspace", "workspace_id"},
        {"stopped, since", "last_error"}}) {
    if (const auto value = string_or(status, key, ""); !value.empty()) {
      facts += fmt::format("<dt>{}</dt><dd>{}</dd>\n", label, html_code(value));
    }
  }
  const auto description = string_or(status, "description", "");
  return fmt::format(
      "<h1>{} {}</h1>\n{}<p class=\"dim\">{}, by pyro {}</p>\n{}",
      html(name.empty() ? "A workspace that is not there yet" : name),
      html_badge(state, look_of_state(state)),
      description.empty() ? "" : "<p>" + html(description) + "</p>\n", html(made_at),
      html(operations::version()), facts.empty() ? "" : "<dl>\n" + facts + "</dl>\n");
}

} // namespace

std::string html_report(const ReportParts& parts) {
  const auto status = parts.status.is_object() ? parts.status : Json::object();
  auto body = head_part(status, parts.made_at) + cards_of(parts);
  if (parts.plan.is_object()) {
    body += plan_part(parts.plan);
  }
  if (parts.graph.is_object()) {
    body += graph_part(parts.graph);
  }
  if (parts.timing.is_object()) {
    body += timing_part(parts.timing);
  }
  if (parts.plan.is_object()) {
    body += layers_part(parts.plan);
  }
  if (parts.status.is_object()) {
    body += services_part(parts.status) + snapshots_part(parts.status);
  }
  if (parts.drift.is_object()) {
    body += drift_part(parts.drift);
  }
  return html_page(string_or(status, "name", "pyro"), body);
}

} // namespace pyro::cli
