#include "sarif.hpp"

#include "render_parts.hpp"

#include <pyro/operations/version.hpp>

#include <fmt/format.h>

#include <map>

namespace pyro::cli {

namespace {

constexpr auto k_schema = "https://json.schemastore.org/sarif-2.1.0.json";

/// Of a path as a relative or file URI.
std::string uri_of(const std::string& path) {
  std::string uri = path.starts_with('/') ? "file://" : "";
  for (const char c : path) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
                          || std::string_view("-._~/").find(c) != std::string_view::npos;
    uri += is_plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return uri;
}

Json region_of(const Json& position) {
  Json region{{"startLine", int_or(position, "line", 1)}};
  if (const auto column = int_or(position, "column", 0); column > 0) {
    region["startColumn"] = column;
  }
  if (const auto line = int_or(position, "end_line", 0); line > 0) {
    region["endLine"] = line;
    region["endColumn"] = int_or(position, "end_column", 1);
  }
  return region;
}

Json location_of(const Json& diagnostic) {
  const auto position = value_at(diagnostic, "position");
  Json physical{{"artifactLocation", {{"uri", uri_of(string_or(position, "file", ""))}}}};
  if (int_or(position, "line", 0) > 0) {
    physical["region"] = region_of(position);
  }
  Json location{{"physicalLocation", physical}};
  if (const auto address = string_or(diagnostic, "address", ""); !address.empty()) {
    location["logicalLocations"] = Json::array({{{"fullyQualifiedName", address}}});
  }
  return location;
}

Json result_of(const Json& diagnostic, std::size_t rule) {
  const auto hint = string_or(diagnostic, "hint", "");
  const auto message = string_or(diagnostic, "message", "");
  return {
      {"ruleId", string_or(diagnostic, "code", "problem")},
      {"ruleIndex", rule},
      {"level", string_or(diagnostic, "severity", "error")}, // both of our words are SARIF's
      {"message", {{"text", hint.empty() ? message : fmt::format("{} ({})", message, hint)}}},
      {"locations", Json::array({location_of(diagnostic)})}};
}

} // namespace

Json sarif_log(const Json& validation) {
  Json rules = Json::array();
  Json results = Json::array();
  std::map<std::string, std::size_t> known;
  for (const auto& diagnostic : list_at(validation, "diagnostics")) {
    const auto code = string_or(diagnostic, "code", "problem");
    const auto [rule, is_new] = known.emplace(code, rules.size());
    if (is_new) {
      rules.push_back({{"id", code}});
    }
    results.push_back(result_of(diagnostic, rule->second));
  }
  const Json driver{{"name", "pyro"}, {"version", operations::version()}, {"rules", rules}};
  return {
      {"$schema", k_schema},
      {"version", "2.1.0"},
      {"runs",
       Json::array(
           {{{"tool", {{"driver", driver}}}, {"columnKind", "unicodeCodePoints"}, {"results", results}}})}};
}

} // namespace pyro::cli
