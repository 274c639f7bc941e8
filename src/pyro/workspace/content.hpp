// Changing what a workspace holds: reset, undo, destroy; whether it runs is up_and_down.hpp's. `workspace` is
// an id, a unique id prefix or a name; empty: the one of `project`.
#pragma once

#include <pyro/workspace/context/requests.hpp>

#include <string>

namespace pyro::workspace {

struct Context;

/// `to` empty: the file's reset.to, else the deepest snapshot. Uses options.ask when edits would be lost
/// for good.
Json reset_workspace(
    Context& context, const std::string& workspace, const Project& project, const std::string& to,
    const ApplyOptions& options);

/// Full reset to a snapshot, asking nobody. The same document as status, and "workspace_reset":
/// {"snapshot_name"}. On failure it is stopped, with its content as it was.
Json reset_to_snapshot(Context& context, const std::string& workspace, const std::string& snapshot);

/// Back to before the last reset, replace or destroy.
Json undo_last_change(Context& context, const std::string& workspace, const Project& project, DryRun dry_run);

/// With `remove_snapshots` all of it, at once and for good; else undo brings it back for a while.
Json destroy_workspace(
    Context& context, const std::string& workspace, const Project& project, const ApplyOptions& options,
    bool remove_snapshots);

} // namespace pyro::workspace
