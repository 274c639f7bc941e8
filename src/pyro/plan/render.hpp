// Text and JSON of a plan. The sentence of an action is made here only, so plan, progress and log agree.
#pragma once

#include "plan.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace pyro::plan {

enum class Color { off, on };
enum class Tense { future, present, past }; // "rebuild", "rebuilding", "rebuilt"
enum class Detail { changes, all };         // also what stays as it is

struct PlanHeader {
  std::string name;
  std::string workspace_id;                // empty if there is none yet
  std::optional<std::uint64_t> generation; // absent: there is no workspace
  std::string backend;
  std::chrono::milliseconds elapsed{0};
  HexDigest config_digest;
  HexDigest lock_digest;
  std::string undo = "24h"; // how long the undo point is kept, as text; empty: none is made
};

/// "reset to snapshots.ready", "rebuilding", "restarted".
std::string action_text(const Action& action, Tense tense);

/// "package-lock.json changed", "env.PORT \"8080\" -> \"8081\"", "first apply"; may be empty.
std::string reason_text(const Reason& reason);

/// "by apt", "by build tools", "other".
std::string cause_text(std::string_view cause);

/// "=", "+", "*", "~", "!", "<", "-/+", "-", "i".
std::string_view symbol_of(ActionKind kind);

/// The last lines of the text: "Plan: 1 rebuild, … 9 unchanged. About 39 s." or "No changes."
std::string summary_text(const Plan& plan);

/// What a document of plan_json() would do, and what it was made for, as one name: that of another document
/// is the same exactly where both are.
std::string plan_id_of(const Json& document);

/// The part of a plan's name that is the same where only the generation of the workspace is another.
std::string_view equivalence_of(std::string_view plan_id);

std::string
plan_text(const Plan& plan, const PlanHeader& header, Color color, Detail detail = Detail::changes);

/// As it stands in the document of a plan (docs/plans.md).
Json reason_json(const Reason& reason);

/// Format 1.0: minor versions only add, readers reject other major ones.
Json plan_json(const Plan& plan, const PlanHeader& header);

/// Do a saved plan (plan_json) and this one do the same things, whatever the generation?
bool same_actions(const Json& saved, const Plan& plan);

} // namespace pyro::plan
