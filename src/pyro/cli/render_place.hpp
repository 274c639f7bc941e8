// Where a workspace lives that does not live here, as text.
#pragma once

#include "style.hpp"

#include <pyro/base/json_access.hpp>

#include <string>
#include <utility>
#include <vector>

namespace pyro::cli {

/// " on n7", for a list; empty: here.
std::string on_node(const Json& workspace);

/// Labelled lines of status: the place, and what was lost with it.
std::vector<std::pair<const char*, std::string>> place_facts(const Json& status, Style style, double now);

} // namespace pyro::cli
