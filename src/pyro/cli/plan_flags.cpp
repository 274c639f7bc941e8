#include "plan_flags.hpp"

#include <pyro/base/error.hpp>

namespace pyro::cli {

namespace {

std::vector<std::string> kinds_of(const std::string& text) {
  std::vector<std::string> kinds;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const auto comma = std::min(text.find(',', begin), text.size());
    const auto kind = text.substr(begin, comma - begin);
    if (kind != "reset" && kind != "replace" && kind != "destroy") {
      throw Error(ErrorCode::usage, "--allow {}: '{}' is no kind of loss", text, kind)
          .with_hint("reset, replace, destroy, with commas between them");
    }
    kinds.push_back(kind);
    begin = comma + 1;
  }
  return kinds;
}

} // namespace

void add_plan_choice(const Arguments& arguments, Json& parameters) {
  for (const auto* name : {"target", "exclude", "replace"}) {
    if (const auto values = arguments.values(name); !values.empty()) {
      parameters[name] = values;
    }
  }
  if (arguments.is_set("refresh")) {
    parameters["refresh"] = arguments.has("refresh");
  }
  if (arguments.has("no-memory")) {
    parameters["memory"] = false;
  }
  if (const auto policy = arguments.value("policy"); !policy.empty()) {
    parameters["policy"] = policy;
  }
}

void add_permissions(const Arguments& arguments, Json& parameters) {
  if (const auto kinds = arguments.value("allow"); !kinds.empty()) {
    parameters["allow"] = kinds_of(kinds);
  }
  add_dry_run(arguments, parameters);
}

void add_dry_run(const Arguments& arguments, Json& parameters) {
  if (arguments.has("dry-run")) {
    parameters["dry_run"] = true;
  }
}

} // namespace pyro::cli
