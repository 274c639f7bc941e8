// Named snapshots of a workspace. `workspace` is an id, a unique id prefix or a name; empty: the one of
// `project`.
#pragma once

#include <pyro/workspace/context/requests.hpp>

#include <string>

namespace pyro::workspace {

struct Context;

/// {"workspace_id", "snapshot"}: durable; processes stand still for the moment of the capture.
Json create_snapshot(
    Context& context, const std::string& workspace, const Project& project, const std::string& name,
    DryRun dry_run);

/// {"workspace_id", "count", "snapshots"}, the baseline first.
Json list_snapshots(Context& context, const std::string& workspace, const Project& project);

/// {"workspace_id", "snapshot_name", "deleted", "freed_bytes"}. Error(invalid_argument) `cannot delete the
/// baseline snapshot`.
Json delete_snapshot(
    Context& context, const std::string& workspace, const Project& project, const std::string& name,
    DryRun dry_run);

} // namespace pyro::workspace
