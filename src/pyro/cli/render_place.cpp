#include "render_place.hpp"

#include "render_parts.hpp"

#include <fmt/format.h>

namespace pyro::cli {

std::string on_node(const Json& workspace) {
  const auto place = workspace.find("place");
  return place != workspace.end() && place->is_object() ? " on " + text_at(*place, "node") : "";
}

std::vector<std::pair<const char*, std::string>> place_facts(const Json& status, Style style, double now) {
  std::vector<std::pair<const char*, std::string>> facts;
  const auto place = status.find("place");
  if (place == status.end() || !place->is_object()) {
    return facts;
  }
  facts.emplace_back(
      "place",
      fmt::format(
          "{}, job {}, node {}", text_at(*place, "on"), text_at(*place, "job"), text_at(*place, "node")));
  if (const auto ends = epoch_at(*place, "ends_at"); ends > now) {
    facts.back().second += fmt::format(", for another {}", span_text(ends - now));
  }
  for (const auto& problem : list_at(*place, "port_problems")) {
    facts.emplace_back("port", style.red(problem.is_string() ? problem.get<std::string>() : ""));
  }
  if (const auto refused = place->find("refused"); refused != place->end()) {
    facts.emplace_back(
        "refused", fmt::format(
                       "{} connections, the last to port {} inside: {}", text_at(*refused, "count"),
                       text_at(*refused, "port"), text_at(*refused, "reason")));
  }
  for (const auto& what : list_at(*place, "lost")) {
    facts.emplace_back("lost", style.red(what.is_string() ? what.get<std::string>() : ""));
  }
  return facts;
}

} // namespace pyro::cli
