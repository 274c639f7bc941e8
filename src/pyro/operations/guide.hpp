// What a caller who has not read the documentation should know of an operation beside its summary: when to
// use it and when another, what it costs, what it may lose. Shown to models by MCP.
#pragma once

#include <string_view>

namespace pyro::operations {

/// Whole sentences; empty for an unknown name.
std::string_view guide_of(std::string_view operation);

} // namespace pyro::operations
