// New workspaces with the content of another: other generations on the same layers, so nothing is copied for
// each.
#pragma once

#include "resolve_inputs.hpp"

#include <pyro/plan/plan.hpp>
#include <pyro/workspace/context/project_secrets.hpp>
#include <pyro/workspace/state/locate.hpp>
#include <pyro/workspace/state/snapshots.hpp>

#include <optional>
#include <string>
#include <vector>

namespace pyro::workspace {

/// What forks are made of.
struct ForkSource {
  store::WorkspaceRecord record;
  std::optional<store::SnapshotRecord> snapshot; // absent: the content as it was just now
  store::LayerStack stack;
  std::string base_key;
  SecretValues secrets;
  /// Its file, where it has one: the services of a fork. Their host ports are chosen anew.
  std::optional<LoadedProject> project;
  std::optional<ResolvedInputs> resolved;
  std::optional<ProjectSecrets> declared; // read, so that no fork misses one
  SecretNotes delivered;                  // what the original was given, now and before
};

/// All but the content. Throws where there is no such snapshot (none named: no content), and what
/// start_fork() would fail with: a secret or an env file that is not there.
ForkSource fork_source(
    Context& context, const Located& located, const LockedWorkspace& workspace, const std::string& snapshot);

/// What take_content() would make again for it, none of content as it is now. Throws as to_be_up_to_date().
std::vector<plan::Action> to_take_content(Context& context, LockedWorkspace& workspace, ForkSource& source);

/// Captures the content as it is now, of a stopped workspace as well, or takes the snapshot's, which is made
/// again where it is out of date. The caller holds the store's shared lock until the forks are recorded.
void take_content(Context& context, LockedWorkspace& workspace, ForkSource& source);

/// The records of forks with these names, an identity of their own each, not saved.
std::vector<store::WorkspaceRecord> fork_records(
    const ForkSource& source, const std::vector<std::string>& names,
    const std::optional<std::int64_t>& ttl_seconds);

/// Names for a request: those it gives, else its name with -1, -2, …, else made up and free. Throws
/// Error(invalid_argument) for bad or doubled ones, Error(already_exists) for one that is taken.
std::vector<std::string>
fork_names(const Context& context, const ForkRequest& request, const store::WorkspaceRecord& source);

/// Starts a fork whose record was saved, with secrets and services. What fails leaves nothing of it behind.
Json start_fork(Context& context, ForkSource& source, const std::string& id);

/// Removes what there is of one that could not be made.
void discard_fork(const Context& context, const std::string& id);

} // namespace pyro::workspace
