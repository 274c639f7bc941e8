// The disk that pyro takes: what holds it, what can be given back, and giving it back. Removing everything:
// purge.hpp.
#pragma once

#include <pyro/base/json_access.hpp>
#include <pyro/workspace/context/requests.hpp>

namespace pyro::workspace {

struct Context;

/// What prune is to leave.
enum class PruneKeep {
  retained, // what workspaces need, and what retention keeps for them
  needed,   // what workspaces need that are not destroyed, and nothing else
};

struct PruneRequest {
  PruneKeep keep = PruneKeep::retained;
  bool dry_run = false;
};

/// {"removed": [{kind, name, size_bytes, reason}], "size_bytes", "kept": [{kind, name, size_bytes, until}],
/// "skipped", "dry_run"}. Asks before an undo or a named snapshot is lost.
Json prune_store(Context& context, const PruneRequest& request, const ApplyOptions& options);

/// {"base", "size_bytes", "free_bytes", "holders": [{kind, name, workspace_id, size_bytes, until}],
/// "prune_bytes", "prune_all_bytes"}. Each byte is counted once, with the first that needs it.
Json disk_usage(Context& context);

/// Carries out the retention in the background where that was not done for a day. For operations that leave
/// something behind.
void prune_when_due(Context& context);

} // namespace pyro::workspace
