// What a copy of the seed tells of files that others write to meanwhile, across the process that copies.
#pragma once

#include "resolve_inputs.hpp"

#include <pyro/base/json_access.hpp>
#include <pyro/seed/copy.hpp>

namespace pyro::workspace {

/// Only the paths of what did not hold still.
Json to_json(const seed::SeedCopyReport& report);

/// Notes for files that grew. Error(stale) where some are not what was scanned: `resolved.changed` has them.
void check_copied(const Context& context, ResolvedInputs& resolved, const Json& report);

} // namespace pyro::workspace
