#include "copied_seed.hpp"

#include <pyro/base/base64.hpp>
#include <pyro/base/error.hpp>

namespace pyro::workspace {

namespace {

/// Paths are bytes, which JSON would not carry.
Json coded(const std::vector<std::string>& paths) {
  Json list = Json::array();
  for (const auto& path : paths) {
    list.push_back(base64_encode(path));
  }
  return list;
}

std::vector<std::string> decoded(const Json& list) {
  std::vector<std::string> paths;
  for (const auto& path : list) {
    paths.push_back(base64_decode(path.get<std::string>()));
  }
  return paths;
}

} // namespace

Json to_json(const seed::SeedCopyReport& report) {
  return {{"changed", coded(report.changed)}, {"restless", coded(report.restless)}};
}

void check_copied(const Context& context, ResolvedInputs& resolved, const Json& report) {
  for (const auto& path : decoded(report.at("restless"))) {
    context.emit("note", "seed", path + ": it is being written to: taken as it was at one moment");
  }
  resolved.changed = decoded(report.at("changed"));
  if (!resolved.changed.empty()) {
    throw Error(ErrorCode::stale, "seed changed while it was copied: {}", resolved.changed.front())
        .with_hint("run it again when nothing writes to the seed");
  }
}

} // namespace pyro::workspace
