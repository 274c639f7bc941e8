// Changing what a workspace holds, and whether it runs: reset, undo, stop, start, destroy. `workspace` is an
// id, a unique id prefix or a name; empty: the one of `project`.
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
Json undo_last_change(Context& context, const std::string& workspace, const Project& project);

/// Stops it in order: what its services wrote, and the files of a virtual machine, can still be read.
Json shut_down_workspace(Context& context, const std::string& workspace, const Project& project);

/// Starts it where it is stopped, with its services.
Json bring_up_workspace(Context& context, const std::string& workspace, const Project& project);

/// With `remove_snapshots` all of it, at once and for good; else undo brings it back for a while.
Json destroy_workspace(
    Context& context, const std::string& workspace, const Project& project, const ApplyOptions& options,
    bool remove_snapshots);

} // namespace pyro::workspace
