// A workspace in one look: what was done in it and what it holds.
#pragma once

#include <pyro/base/json_access.hpp>

#include <string>

namespace pyro::workspace {

struct Context;

/// What there is and what was done: commands, services, snapshots, changed files, bytes on disk.
Json summarize_workspace(Context& context, const std::string& workspace);

} // namespace pyro::workspace
