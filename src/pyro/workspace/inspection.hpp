// Looking at workspaces: status, list, diff. `workspace` is an id, a unique id prefix or a name; empty: the
// one of `project`.
#pragma once

#include <pyro/workspace/context/requests.hpp>

#include <map>
#include <string>
#include <vector>

namespace pyro::workspace {

struct Context;

/// Is it looked for what was changed inside? Costs a walk over it.
enum class WithDrift { no, yes };

/// Spec, state, services with readiness, snapshots, backend, ttl, last error.
Json get_workspace_status(
    Context& context, const std::string& workspace, const Project& project,
    WithDrift with_drift = WithDrift::no);

/// What was done here: {"events": [{ts, op_id, operation, kind, address, text, workspace_id, workspace, …}],
/// "cursor"}. With a cursor what came since, else the last `tail`. `workspace`: an id or a name; empty: of
/// all.
Json read_events(
    Context& context, const std::string& workspace, const std::string& cursor, std::int64_t tail);

/// What the last apply of it spent its time on, as last_timings() has it, with "workspace_id" and "name".
/// Error(not_found) where none has done anything yet.
Json last_apply_timing(Context& context, const std::string& workspace, const Project& project);

/// Nobody may hold it: Error(locked) names a living holder, whose lock is not taken away. The lock of a dead
/// one is free already; what it left half done is finished or taken back. {"changed": was anything?}
Json unlock_workspace(Context& context, const std::string& workspace, const Project& project);

/// A name, all of these labels, a state; what is empty fits all.
struct WorkspaceFilter {
  std::string name;
  std::map<std::string, std::string> labels;
  std::string state;
  bool with_destroyed = false; // also those that are kept for undo and their snapshots
};

/// Those that fit, the last used first. {"count", "workspaces", "damaged"}
Json list_workspaces(Context& context, const WorkspaceFilter& filter = {});

/// Against what its content was last made from, without what the file's drift.ignore names. {"changed",
/// "summary": {...}, "entries": [{path, status, artifact_type, text_patch, cause, origin}], "causes",
/// "patch"}. `paths` as in Pathspec, relative ones at the workspace's workdir.
Json diff_from_base(
    Context& context, const std::string& workspace, const Project& project,
    const std::vector<std::string>& paths, bool patches);

/// The same for /workspace, always against what it was created with; nothing is left out.
Json diff_from_baseline(Context& context, const std::string& workspace);

} // namespace pyro::workspace
