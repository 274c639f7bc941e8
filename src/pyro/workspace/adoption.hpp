// Between made by hand and declared: a workspace taken over into a pyro.yaml, and let go of. `workspace` is
// an id, a unique id prefix or a name; empty: the one of `project`.
#pragma once

#include <pyro/workspace/context/requests.hpp>

#include <string>

namespace pyro::workspace {

struct Context;

/// The workspace now belongs to the pyro.yaml of `project` and has its name; nothing else changes: the next
/// plan tells the differences. Error(already_exists) where that file has a workspace.
Json adopt_workspace(Context& context, const std::string& workspace, const Project& project);

/// It no longer belongs to any pyro.yaml, and stays as it is.
Json forget_workspace(Context& context, const std::string& workspace, const Project& project);

} // namespace pyro::workspace
