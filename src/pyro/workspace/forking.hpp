// Fork: many workspaces from the content of one.
#pragma once

#include <pyro/workspace/context/requests.hpp>

namespace pyro::workspace {

struct Context;

/// Other workspaces with the same content. {"source", "snapshot", "count", "workspaces", "failed"}; throws
/// where not one could be made.
Json fork_workspace(Context& context, const ForkRequest& request, const Project& project);

} // namespace pyro::workspace
