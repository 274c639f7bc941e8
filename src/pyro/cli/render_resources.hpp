// What workspaces and services take, as text: `pyro top`, and the lines of `pyro status`.
#pragma once

#include "style.hpp"

#include <pyro/base/json_access.hpp>

#include <string>

namespace pyro::cli {

/// A table of workspaces, each with its services below; "-" where nobody counts.
std::string render_resource_usage(const Json& result, Style style, double now);

/// "1.5 s of processors, 12.0 MiB of memory (at most 20.0 MiB), 3 processes"; empty for null.
std::string resources_text(const Json& resources);

/// "12.0 MiB", "~12.0 MiB" where it is a sum over processes; empty where nobody counts it.
std::string memory_text(const Json& figures);

} // namespace pyro::cli
