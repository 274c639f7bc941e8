// What is there, as a value: workspace/ fills it in, make_plan compares it with what is wanted, tests write
// it as JSON.
#pragma once

#include "recipe.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace pyro::plan {

enum class WorkspaceState { absent, started, stopped };

std::string_view name_of(WorkspaceState state);

/// A path that differs from the layers that the workspace stands on.
struct DriftEntry {
  std::string path;
  char change = 'M';      // A added, M modified, D deleted, T type changed
  std::string cause = {}; // apt, pip, npm, build, service, command, other; empty: nobody asked
  /// Does the checkout's git have exactly what would be lost with it? nullopt: nobody looked, or there is no
  /// git.
  std::optional<bool> in_git = {};

  bool operator==(const DriftEntry&) const = default;
};

/// A file of the seed that is not as it was applied.
struct ChangedFile {
  std::string path; // relative to the seed's root
  char change = 'M';
  std::optional<bool> in_git = {}; // is it tracked? nullopt: there is no git

  bool operator==(const ChangedFile&) const = default;
};

/// Of each kind of change the first few by name, and how many there are.
struct FileChanges {
  static constexpr std::size_t k_named = 5; // of each kind

  std::vector<ChangedFile> named; // modified ones, added ones, deleted ones
  std::size_t modified = 0;
  std::size_t added = 0;
  std::size_t deleted = 0;

  std::size_t total() const { return modified + added + deleted; }

  bool empty() const { return total() == 0; }
};

struct Observed {
  bool exists = false;
  std::string workspace_id;
  std::vector<std::string> earlier_names; // where it does not exist: workspaces that this file had before
  std::uint64_t generation = 0;
  WorkspaceState state = WorkspaceState::absent;
  std::string backend;
  spec::Isolation isolation = spec::Isolation::sandbox; // of that backend
  std::set<std::string> capabilities; // of that backend: "live_resize", "egress_filter", "memory_snapshot"
  Json applied_spec;                  // normal form of what was applied last; null if never
  std::vector<Link> applied_links;    // Plan::chain of that time
  std::set<HexDigest> cached_keys;    // layers in the store
  bool build_all = false;             // not even those that the workspace stands on are to be used
  HexDigest base_key; // what the present content came from; after a seed sync: the new content key
  std::map<std::string, std::string> service_states; // starting|running|ready|completed|exited|stopped|failed
  std::map<std::string, HexDigest> service_digests;  // service_digest() at the time it was started
  /// publication_of() each; nullopt: nobody knows, or nothing runs.
  std::optional<std::multiset<std::string>> published_ports;
  std::map<std::string, std::string> blocked_ports; // publication_of() that cannot be: why not
  std::set<std::string> changed_secrets; // given to the sandbox with another value than the one set now
  std::map<std::string, std::string> missing_secrets; // name → why it cannot be delivered
  std::vector<DriftEntry> drift;
  bool is_drift_known = true;                 // false: nobody looked
  std::set<std::string> asked_for;            // addresses of what is to be made anew though nothing changed
  std::map<std::string, HexDigest> snapshots; // managed names → key they were taken at
  std::map<std::string, std::int64_t> step_cost_ms; // address → how long it took last time
  /// "services.api restart" → how long that took last time; where there is none, step_cost_ms tells.
  std::map<std::string, std::int64_t> action_cost_ms;
  std::map<std::string, FileChanges> file_changes; // address of a link → which of its files changed
  /// What the file was read with at the last apply; nullopt: nobody noted it.
  std::optional<std::string> applied_profile;
  std::map<std::string, std::string> applied_vars;
};

/// A port of a service as it is published: "web 127.0.0.1:18080:8080", "web 127.0.0.1::8080" for any that is
/// free.
std::string publication_of(const std::string& service, const spec::Port& port);

/// {"path", "change"}, and "in_git" where that is known.
Json to_json(const DriftEntry& entry);
/// {"modified", "added", "deleted", "named": [{"path", "change", "in_git"}]}
Json to_json(const FileChanges& changes);
Json to_json(const Observed& observed);
/// Every member may be absent (then it is empty). Throws Error(protocol) for wrong types and unknown states.
Observed observed_from_json(const Json& value);

} // namespace pyro::plan
