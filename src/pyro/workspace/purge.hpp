// Removing everything that pyro has on this machine for this user; the program itself stays. What can be
// spared: disk_use.hpp.
#pragma once

#include <pyro/base/json_access.hpp>
#include <pyro/workspace/context/requests.hpp>

namespace pyro::workspace {

struct Context;

/// Ends every sandbox and removes all state: workspaces with snapshots, layers, caches, agreements. Asks
/// before.
/// {"removed": [directories], "left": [what there is not of pyro's], "workspaces", "size_bytes"}. May be
/// repeated where it was cut off.
Json purge(Context& context, const ApplyOptions& options);

} // namespace pyro::workspace
