// What is there, as a value: workspace/ fills it in, make_plan compares it with what is wanted, tests write
// it as JSON.
#pragma once

#include "recipe.hpp"

#include <cstdint>
#include <map>
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

  bool operator==(const DriftEntry&) const = default;
};

struct Observed {
  bool exists = false;
  std::string workspace_id;
  std::uint64_t generation = 0;
  WorkspaceState state = WorkspaceState::absent;
  std::string backend;
  spec::Isolation isolation = spec::Isolation::sandbox; // of that backend
  std::set<std::string> capabilities;                   // of that backend: "live_resize", "memory_snapshot"
  Json applied_spec;                                    // normal form of what was applied last; null if never
  std::vector<Link> applied_links;                      // Plan::chain of that time
  std::set<HexDigest> cached_keys;                      // layers in the store
  bool build_all = false; // not even those that the workspace stands on are to be used
  HexDigest base_key;     // what the present content came from; after a seed sync: the new content key
  std::map<std::string, std::string> service_states; // starting|running|ready|completed|exited|stopped|failed
  std::map<std::string, HexDigest> service_digests;  // service_digest() at the time it was started
  /// publication_of() each; nullopt: nobody knows, or nothing runs.
  std::optional<std::multiset<std::string>> published_ports;
  std::map<std::string, std::string> blocked_ports; // publication_of() that cannot be: why not
  std::set<std::string> changed_secrets; // given to the sandbox with another value than the one set now
  std::map<std::string, std::string> missing_secrets; // name → why it cannot be delivered
  std::vector<DriftEntry> drift;
  std::map<std::string, HexDigest> snapshots;       // managed names → key they were taken at
  std::map<std::string, std::int64_t> step_cost_ms; // address → how long it took last time
};

/// A port of a service as it is published: "web 127.0.0.1:18080:8080", "web 127.0.0.1::8080" for any that is
/// free.
std::string publication_of(const std::string& service, const spec::Port& port);

Json to_json(const Observed& observed);
/// Every member may be absent (then it is empty). Throws Error(protocol) for wrong types and unknown states.
Observed observed_from_json(const Json& value);

} // namespace pyro::plan
