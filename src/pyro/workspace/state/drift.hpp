// What was changed in a workspace since a given stack of layers, at a cost that follows the changes.
#pragma once

#include "find_and_lock.hpp"

#include <pyro/base/json_access.hpp>
#include <pyro/plan/observed.hpp>
#include <pyro/store/diff.hpp>
#include <pyro/store/layer_stack.hpp>

#include <string>
#include <vector>

namespace pyro::workspace {

/// Patterns (gitignore syntax) that no drift report shows: temporary files, caches, logs, run-time state.
const std::vector<std::string>& built_in_ignores();

/// The content of a workspace as it is now, running or not: its layers and what was written on top. Not
/// within os::IdSpace::run.
store::Stack current_stack(
    const Context& context, const store::WorkspacePaths& paths, const store::WorkspaceRecord& record);

/// The stack that drift is measured against: what the workspace stands on, services' first writes included
/// where they were captured.
store::LayerStack base_stack_of(const store::WorkspaceRecord& record);

struct DiffRequest {
  store::LayerStack before;
  std::vector<std::string> roots;  // absolute in the sandbox: "/workspace", "/"
  std::vector<std::string> ignore; // gitignore patterns on absolute paths
  store::Patches patches = store::Patches::yes;
};

/// The contract's document (diff-baseline). Paths of entries are relative to the single root, or absolute
/// where there are several or it is "/"; those in patches never begin with a slash.
Json diff_workspace(
    const Context& context, const store::WorkspacePaths& paths, const store::WorkspaceRecord& record,
    const DiffRequest& request);

/// The entries that a plan shows: against `base`, by the spec's drift settings.
std::vector<plan::DriftEntry> find_drift(
    const Context& context, const store::WorkspacePaths& paths, const store::WorkspaceRecord& record,
    const store::LayerStack& base, const std::vector<std::string>& report,
    const std::vector<std::string>& ignore);

} // namespace pyro::workspace
