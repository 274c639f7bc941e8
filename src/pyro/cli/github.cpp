#include "github.hpp"

#include "render.hpp"
#include "render_parts.hpp"

#include <pyro/base/safe_text.hpp>
#include <pyro/base/units.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <set>

namespace pyro::cli {

namespace {

constexpr std::size_t k_most_discards = 20;

/// As GitHub's workflow commands want it.
std::string escaped(std::string_view text, bool property) {
  std::string result;
  for (const char c : escape_lines(text)) {
    if (c == '%') {
      result += "%25";
    } else if (c == '\r') {
      result += "%0D";
    } else if (c == '\n') {
      result += "%0A";
    } else if (property && c == ':') {
      result += "%3A";
    } else if (property && c == ',') {
      result += "%2C";
    } else {
      result += c;
    }
  }
  return result;
}

/// Where an annotation goes; 0 where a number is not known.
struct Span {
  Position place;
  int end_line = 0;
  int end_column = 0;
};

std::string
annotation(std::string_view level, const Span& span, std::string_view title, std::string_view text) {
  std::string properties;
  const auto& place = span.place;
  if (!place.file.empty()) {
    properties += fmt::format("file={},", escaped(place.file, true));
  }
  if (place.line > 0) {
    properties += fmt::format("line={},col={},", place.line, place.column);
    properties += fmt::format("endLine={},", span.end_line > 0 ? span.end_line : place.line);
    // Columns count within one line only.
    if (span.end_line == place.line && span.end_column > 0) {
      properties += fmt::format("endColumn={},", span.end_column);
    }
  }
  return fmt::format("::{} {}title={}::{}\n", level, properties, escaped(title, true), escaped(text, false));
}

/// A cell: no markup, no end of the cell.
std::string cell(std::string_view text) {
  std::string result;
  for (const char c : escape_controls(text)) {
    if (c == '<') {
      result += "&lt;";
    } else if (c == '&') {
      result += "&amp;";
    } else if (std::string_view("|\\`*_[]#!~@").find(c) != std::string_view::npos) {
      result += fmt::format("&#{};", static_cast<int>(c));
    } else {
      result += c;
    }
  }
  return result;
}

std::string row(const std::vector<std::string>& cells) {
  return fmt::format("| {} |\n", fmt::join(cells, " | "));
}

std::string head(const std::vector<std::string>& names) {
  return row(names) + row(std::vector<std::string>(names.size(), "---"));
}

std::string place_cell(const Json& where, const char* column) {
  const auto file = string_or(where, "file", "");
  const auto line = int_or(where, "line", 0);
  return line > 0 ? cell(fmt::format("{}:{}:{}", file, line, int_or(where, column, 0))) : "";
}

bool is_idle(const Json& action) {
  const auto kind = string_or(action, "action", "");
  return kind == "noop" || kind == "cached" || kind == "note";
}

std::string discards_of(const Json& action) {
  const auto& discards = list_at(action, "discards");
  std::string lines;
  for (std::size_t i = 0; i < std::min(k_most_discards, discards.size()); ++i) {
    lines += fmt::format(
        "* {} {}\n", cell(string_or(discards[i], "change", "")), cell(string_or(discards[i], "path", "")));
  }
  if (discards.size() > k_most_discards) {
    lines += fmt::format("* and {} more\n", discards.size() - k_most_discards);
  }
  return lines.empty() ? "" : "\nWould be lost:\n\n" + lines;
}

std::string table_of_actions(const Json& plan) {
  std::string rows;
  std::string lost;
  std::size_t idle = 0;
  for (const auto& action : list_at(plan, "actions")) {
    if (is_idle(action)) {
      ++idle;
      continue;
    }
    const auto reason = value_at(action, "reason");
    const auto cost = int_or(action, "cost_ms", 0);
    rows += row(
        {cell(string_or(action, "address", "")), cell(string_or(action, "action", "")),
         cell(string_or(reason, "text", "")), place_cell(reason, "col"),
         cost > 0 ? cell(format_elapsed(std::chrono::milliseconds(cost))) : ""});
    lost += discards_of(action);
  }
  if (rows.empty()) {
    return "No changes.\n";
  }
  return head({"address", "action", "why", "where", "about"}) + rows + lost
         + fmt::format(
             "\n{} unchanged.{}\n", idle,
             bool_or(plan, "needs_approval", false) ? " **It needs an approval.**" : "");
}

/// Appends to the file that a variable names, as GitHub's runner sets it; without one nothing is written.
void append(const Console& console, const char* variable, const std::string& text) {
  const auto path = console.environment(variable);
  if (!path || path->empty()) {
    return;
  }
  std::ofstream file(*path, std::ios::app);
  file << text << std::flush;
  if (!file) {
    throw Error(ErrorCode::io, "cannot write to {}, which {} names", *path, variable);
  }
}

/// A service's name as a part of an output's.
std::string output_name(std::string_view name) {
  std::string result(name);
  std::replace(result.begin(), result.end(), '-', '_');
  return result;
}

} // namespace

std::string error_annotation(const Error& error) {
  auto text = error.message();
  for (const auto& line : error.output()) {
    text += "\n" + line;
  }
  if (!error.hint().empty()) {
    text += "\nhint: " + error.hint();
  }
  return annotation("error", {error.position().value_or(Position{})}, "pyro", text);
}

std::string diagnostic_annotation(const Json& diagnostic) {
  const auto position = value_at(diagnostic, "position");
  const Span span{
      {string_or(position, "file", ""), static_cast<int>(int_or(position, "line", 0)),
       static_cast<int>(int_or(position, "column", 0))},
      static_cast<int>(int_or(position, "end_line", 0)),
      static_cast<int>(int_or(position, "end_column", 0))};
  const auto address = string_or(diagnostic, "address", "");
  const auto hint = string_or(diagnostic, "hint", "");
  return annotation(
      string_or(diagnostic, "severity", "error"), span, address.empty() ? "pyro.yaml" : address,
      string_or(diagnostic, "message", "") + (hint.empty() ? "" : "\nhint: " + hint));
}

std::string plan_annotations(const Json& plan) {
  std::string text;
  for (const auto* severity : {"error", "warning"}) {
    for (auto diagnostic : list_at(plan, "diagnostics")) {
      if (string_or(diagnostic, "severity", "error") == severity) {
        diagnostic["position"] = {
            {"file", string_or(diagnostic, "file", "")},
            {"line", int_or(diagnostic, "line", 0)},
            {"column", int_or(diagnostic, "col", 0)}};
        text += diagnostic_annotation(diagnostic);
      }
    }
  }
  return text;
}

std::string validation_summary(const Json& validation) {
  const auto& diagnostics = list_at(validation, "diagnostics");
  auto text =
      fmt::format("### pyro validate: {}\n\n", bool_or(validation, "valid", false) ? "valid" : "not valid");
  if (diagnostics.empty()) {
    return text;
  }
  text += head({"where", "", "address", "problem", "what to write"});
  for (const auto& diagnostic : diagnostics) {
    text += row(
        {place_cell(value_at(diagnostic, "position"), "column"), cell(string_or(diagnostic, "severity", "")),
         cell(string_or(diagnostic, "address", "")), cell(string_or(diagnostic, "message", "")),
         cell(string_or(diagnostic, "hint", ""))});
  }
  return text;
}

std::string plan_summary(const Json& plan) {
  return "### pyro plan\n\n" + table_of_actions(plan);
}

std::string apply_summary(const Json& applied) {
  auto text = fmt::format(
      "### pyro apply: {}\n\n{}", cell(string_or(applied, "name", "")),
      table_of_actions(value_at(applied, "plan")));
  const auto& services = list_at(applied, "services");
  if (services.empty()) {
    return text;
  }
  text += "\n" + head({"service", "state", "reached at"});
  for (const auto& service : services) {
    const auto name = string_or(service, "name", "");
    std::string places;
    for (const auto& port : list_at(applied, "ports")) {
      if (string_or(port, "service", "") == name) {
        places += (places.empty() ? "" : ", ") + cell(place_of(port));
      }
    }
    text += row({cell(name), cell(string_or(service, "state", "")), places});
  }
  return text;
}

void write_step_summary(const Console& console, const std::string& markdown) {
  append(console, "GITHUB_STEP_SUMMARY", markdown + "\n");
}

void write_outputs(const Console& console, const Json& applied) {
  auto text = fmt::format(
      "workspace_id={}\nname={}\nchanged={}\n", string_or(applied, "workspace_id", ""),
      string_or(applied, "name", ""), bool_or(applied, "changed", false));
  std::set<std::string> named;
  for (const auto& port : list_at(applied, "ports")) {
    const auto service = output_name(string_or(port, "service", ""));
    if (!named.insert(service).second) {
      continue; // all of them are in `ports`
    }
    text += fmt::format("port_{}={}\n", service, int_or(port, "host_port", 0));
    if (const auto url = string_or(port, "url", ""); !url.empty()) {
      text += fmt::format("url_{}={}\n", service, escape_controls(url));
    }
  }
  text += fmt::format(
      "ports={}\n",
      escape_json(list_at(applied, "ports").dump(-1, ' ', false, Json::error_handler_t::replace)));
  append(console, "GITHUB_OUTPUT", text);
}

} // namespace pyro::cli
