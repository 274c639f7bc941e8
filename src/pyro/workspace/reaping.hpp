// Removing what has outlived its time.
#pragma once

#include <pyro/base/json_access.hpp>

namespace pyro::workspace {

struct Context;

/// Removes expired workspaces made by hand, and records that cannot be read. {"count", "workspaces",
/// "skipped"}
Json reap_workspaces(Context& context);

} // namespace pyro::workspace
