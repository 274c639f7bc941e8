// From what was changed inside to a proposal for pyro.yaml: steps that make the same changes.
#pragma once

#include <pyro/workspace/context/requests.hpp>

#include <string>

namespace pyro::workspace {

struct Context;

enum class WriteFile { no, yes };

/// Proposes steps for what differs from the recipe, as `diff` tells it, and with WriteFile::yes puts them
/// into the file. {"workspace_id", "file", "steps": [{list, id, run}], "patch", "written", "captured": how
/// many changes they make, "checkout": paths that belong to the seed instead, "not_reproduced": [{path,
/// why}], "notes"}. `project` is the file of the workspace, or that of `workspace`.
Json capture_changes(Context& context, const std::string& workspace, const Project& project, WriteFile write);

} // namespace pyro::workspace
