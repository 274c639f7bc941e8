// Wanted + observed → actions with reasons and edges. Pure and deterministic; for text and JSON see
// render.hpp. Carrying a plan out is workspace/'s work: it executes the actions in the given order and
// nothing else.
#pragma once

#include "observed.hpp"
#include "recipe.hpp"

#include <pyro/spec/parse.hpp>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::plan {

enum class ActionKind {
  noop,    // nothing to do; a reason says so where a changed field has no effect now
  cached,  // the layer is in the store
  note,    // nothing is done, but somebody should know (seed.on_change: keep, a snapshot that is out of date)
  create,  // the workspace, for the first time
  build,   // a layer that was never built
  rebuild, // a layer whose recipe changed
  update,  // in place: probes, ports, policies, sizes
  sync,    // the seed: three-way into the live workspace
  restart, // a service
  start,   // a service or the stopped workspace
  stop,    // a service
  reboot,  // stop and cold-start the workspace, disk kept
  reset,   // same workspace, content restored from the recipe
  replace, // a new workspace under the same name
  take,    // a snapshot, for the first time
  retake,  // a snapshot whose point or form changed
  forget,  // a snapshot's name
  destroy, // the workspace
};

enum class ReasonCode {
  unchanged,
  first_apply,
  cached,
  layer_missing, // never built, or collected
  no_cache,      // what is there is not to be used: apply --no-cache
  input_changed, // an input of this step's recipe
  step_added,
  step_removed,
  step_moved,
  parent_changed,  // something further up the chain
  content_changed, // the workspace stands on other layers than it should
  field_changed,   // of the spec
  no_effect_now,   // a changed field that is used later
  seed_kept,       // seed.on_change: keep
  drift_policy,    // drift.policy: reset
  service_added,
  service_removed,
  service_not_running,
  service_outdated, // runs with another definition than recorded
  secret_changed,   // it was given another value than the one that is set now
  dependency_restarted,
  workspace_restarted, // starts because the workspace does
  workspace_stopped,
  snapshot_added,
  snapshot_removed,
  snapshot_outdated, // its point has another key now
  snapshot_waits,    // the same, by a synced seed alone: made again when it is used
  step_waits,        // a synced seed is not prepared again
  renamed,           // the file had another name for its workspace before
  live_directory,    // no part of the content that is made anew
  asked_for,         // nothing changed, but somebody wants it: --replace, reset, destroy
};

/// The stable, snake_case names used in JSON.
std::string_view name_of(ActionKind kind);
std::string_view name_of(ReasonCode code);

/// Does this kind change anything?
bool is_change(ActionKind kind);

/// A changed variable, or another choice of profile, through which a field got another value.
struct Origin {
  enum class Kind { variable, profile };

  Kind kind = Kind::variable;
  std::string name;   // of the variable; empty for a profile
  std::string before; // its value; the profile: empty is none
  std::string after;
  Position place = {};
};

struct Reason {
  ReasonCode code = ReasonCode::unchanged;
  std::string field; // what differs: "env.PORT", "input package-lock.json", "image"; may be empty
  std::string before;
  std::string after;
  Position place;
  std::string cause = {};              // the address of the action that this one follows from
  std::vector<Difference> inputs = {}; // everything that differs, not only the first: of layers and services
  FileChanges files = {};              // of the seed, or of the inputs of a step
  std::optional<Origin> origin = {};   // where the new value came from
};

/// What an action is about.
enum class Subject {
  link,      // of the chain: a layer
  workspace, // its content and its sandbox
  seed,      // what of the seed is brought into a running workspace
  service,   // a service, or a field of one
  snapshot,  // a named one
  field,     // another field, which the record takes over
};

struct Action {
  Subject subject = Subject::field;
  std::string name;    // of the service or snapshot
  std::string address; // environment[.setup.<id>] | seed | prepare.<id> | workspace | services.<s>[.<field>]
                       // | snapshots.<n> | …
  ActionKind kind = ActionKind::noop;
  Reason reason;
  std::string
      target;    // reset, create, replace: the point the content comes from; take, retake: `at`; links: point
  HexDigest key; // of a link or snapshot: what will be stored
  bool apart = false;               // done in a sandbox of its own, while the workspace goes on
  std::int64_t cost_ms = 0;         // what it took last time, also where it is not done now; 0 is unknown
  std::vector<DriftEntry> discards; // lost for good when it runs
  std::vector<std::string> after;   // addresses of actions that must be done first
};

/// What its cost is remembered as: "services.api restart".
std::string cost_name(const Action& action);

/// Of a service or a snapshot with this name.
std::string address_of(Subject subject, const std::string& name);

/// Something that the file asks for, and that this plan leaves as it is: --target, --exclude.
struct LeftOut {
  std::string address;
  ActionKind kind = ActionKind::noop; // what would be done
};

/// What a rule of a policy (policy.hpp) does not let pass.
struct Denial {
  std::string rule;
  std::string message; // of the rule; may be empty
  Position place;      // of the rule
  std::string address; // of the action
  ActionKind kind = ActionKind::noop;
};

/// "ci.yaml:4:5: denied by no-lost-edits: workspace (reset): Ask first.", on one line.
std::string to_string(const Denial& denial);

struct Plan {
  std::vector<Action>
      actions;             // topologically sorted; ties: chain, workspace, services, snapshots, then address
  std::vector<Link> chain; // to be recorded as applied (differs from the given one for seed.on_change: keep)
  std::map<ActionKind, int> summary; // how many of each kind
  bool needs_approval = false;
  std::vector<std::string> approval_reasons; // kinds: "reset", "replace"
  std::vector<spec::Diagnostic> diagnostics; // an error here forbids applying (drift.policy: fail)
  std::vector<DriftEntry> drift;             // all of it, whether it matters or not
  bool is_drift_known = true;                // false: nobody looked
  std::vector<LeftOut> left_out;
  std::vector<Denial> denials;
  std::int64_t cost_ms = 0; // of what is done; services start together

  /// How many changes each cause has made, the most frequent first.
  std::vector<std::pair<std::string, std::size_t>> drift_causes() const;

  /// No action changes anything and nothing forbids it.
  bool empty() const;
  const Action* find(std::string_view address) const;
};

/// Secrets that carrying the plan out delivers, to services or to steps.
std::set<std::string> secrets_needed(const spec::Spec& spec, const std::vector<Action>& actions);

Plan make_plan(const spec::Spec& spec, const std::vector<Link>& chain, const Observed& observed);

} // namespace pyro::plan
