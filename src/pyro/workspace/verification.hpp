// Is a recipe one that gives the same each time? Builds it twice and compares.
#pragma once

#include <pyro/workspace/context/requests.hpp>

namespace pyro::workspace {

struct Context;

/// Builds setup steps, seed and prepare steps of the file twice, without the cache and apart from every
/// workspace, and compares the files. {"reproducible", "file", "at", "duration_ms", "links": {address: key},
/// "count", "differing": [{path, status, step, class}]: the first thousand, "classes": {class: count}}; the
/// record of it is kept.
Json verify_project(Context& context, const Project& project);

} // namespace pyro::workspace
