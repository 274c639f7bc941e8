// The declared file: checked, in its normal form, planned, applied, explained.
#pragma once

#include <pyro/workspace/context/requests.hpp>

#include <string>

namespace pyro::workspace {

struct Context;

/// With `workspace` the file of that one, which has to have one of its own; without, the project as it is.
Project file_of_workspace(const Context& context, const std::string& workspace, const Project& project);

/// {"valid", "diagnostics": [{severity, position, address, message, hint}], "name"}
Json validate_project(const Project& project);

/// The effective spec in normal form.
Json normalize_project(const Context& context, const Project& project);

/// {"setup": KEY, "hashes": {ADDRESS: KEY}}: equal on every machine where the same would be built. `setup` is
/// that of all before the seed and the steps that see it, for caches of CI.
Json hash_project(Context& context, const Project& project);

/// The plan document (spec-v1 B.5); `text` beside it is the human form. {"plan": {...}, "text": "..."}
Json plan_project(Context& context, const Project& project, const PlanChoice& choice, bool color);

/// Plans and executes. {"workspace_id", "changed": bool, "plan", "text", "services": [...], "duration_ms"}
Json apply_declared_file(Context& context, const Project& project, const ApplyOptions& options, bool color);

/// The JSON Schema of pyro.yaml, for editors.
Json file_schema();

} // namespace pyro::workspace
