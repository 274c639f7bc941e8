// JSON that may be anything: no document is an ordinary answer here. Prefer parse_json() (json_access.hpp)
// where it is a mistake. Both are the only readers of JSON: they bound the depth, since copying, writing and
// removing a document recurse. How many bytes are read is for whoever reads them to bound.
#pragma once

#include "json_access.hpp"

#include <optional>
#include <string_view>

namespace pyro {

/// More than twice what any document of ours has.
inline constexpr int k_max_json_depth = 128;

bool is_deep_json(std::string_view text);

/// nullopt: no JSON, or too deep.
std::optional<Json> maybe_parse_json(std::string_view text);

} // namespace pyro
