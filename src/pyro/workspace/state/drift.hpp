// What was changed in a workspace since a given stack of layers, at a cost that follows the changes.
#pragma once

#include "drift_causes.hpp"
#include "find_and_lock.hpp"
#include "pathspec.hpp"

#include <pyro/base/json_access.hpp>
#include <pyro/plan/observed.hpp>
#include <pyro/store/diff.hpp>
#include <pyro/store/layer_stack.hpp>

#include <functional>
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
  std::function<bool(const std::string& path, bool is_directory)> leaves_out = {};
  std::string seed_directory = "/workspace"; // where the seed lies
  bool whole_patch = false;                  // also what is outside of it
  bool absolute_paths = false;               // of entries, even below a single root
  std::optional<Pathspec> only = {};         // of those below the roots
  bool explained = false;                    // with causes and origins
};

/// What differs at one path, which has no slash at its beginning.
struct Change {
  std::string path;
  store::DiffEntry entry;
  std::string origin; // address of the layer that it was in before; empty: none, or it was not asked for
};

struct Examined {
  const store::LayeredView& before;
  const store::LayeredView& after;
  const std::vector<Change>& changes;
  const DriftCauses& causes;
};

/// Lets `look` see all changes where files have the ids of the inside; its result is what it gives.
Json examine_changes(
    const Context& context, const store::WorkspacePaths& paths, const store::WorkspaceRecord& record,
    const DiffRequest& request, const std::function<Json(const Examined&)>& look);

/// The contract's document (diff-baseline). Paths of entries are relative to the single root, or absolute
/// where there are several or it is "/". Those in patches are relative to the seed's directory, so that they
/// apply in the checkout; what is outside of it is named from the root, without its slash, and "patch" leaves
/// it out unless it is asked for. {..., "patch_left_out": its paths}. "origin" is the address of the layer
/// that the entry's file was in before; null of one that was not there.
Json diff_workspace(
    const Context& context, const store::WorkspacePaths& paths, const store::WorkspaceRecord& record,
    const DiffRequest& request);

struct DriftRequest {
  std::vector<std::string> report; // roots, as in DiffRequest
  std::vector<std::string> ignore; // patterns, beside the built in ones
  /// Of a path without the slash at its beginning: is it not worth a word?
  std::function<bool(const std::string& path, bool is_directory)> leaves_out = {};
  /// Does git have what would be lost with this entry? `path` is absolute in the sandbox. Not set: nobody
  /// asks.
  std::function<bool(const std::string& path, const store::DiffEntry& entry)> in_git = {};
};

/// The entries that a plan shows: what was changed since `base`.
std::vector<plan::DriftEntry> find_drift(
    const Context& context, const store::WorkspacePaths& paths, const store::WorkspaceRecord& record,
    const store::LayerStack& base, const DriftRequest& wanted);

} // namespace pyro::workspace
