// The sentence behind an action: why.
#include "render.hpp"

#include <pyro/base/safe_text.hpp>

#include <fmt/format.h>

namespace pyro::plan {

namespace {

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : escape_controls(text)) {
    result += c == '"' ? std::string("\\\"") : std::string(1, c);
  }
  return result + "\"";
}

/// "2 files modified, 1 added".
std::string count_text(const FileChanges& changes) {
  std::vector<std::string> parts;
  for (const auto& [count, verb] :
       {std::pair{changes.modified, "modified"}, std::pair{changes.added, "added"},
        std::pair{changes.deleted, "deleted"}}) {
    if (count > 0) {
      const auto* noun = parts.empty() ? (count == 1 ? " file" : " files") : "";
      parts.push_back(fmt::format("{}{} {}", count, noun, verb));
    }
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

/// What differs beside the first; not what only follows from it.
std::string others_text(const std::vector<Difference>& inputs) {
  constexpr std::size_t k_named = 3;
  std::vector<std::string> names;
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    const auto& name = inputs[i].input;
    if (name != "checkout" && name != "ids") {
      names.push_back(name.starts_with("input ") ? name.substr(std::string_view("input ").size()) : name);
    }
  }
  if (names.empty()) {
    return "";
  }
  const auto more = names.size() > k_named ? names.size() - k_named : 0;
  names.resize(names.size() - more);
  return fmt::format(
      ", also {}{}", fmt::join(names, ", "), more == 0 ? "" : fmt::format(" and {} more", more));
}

std::string origin_text(const Origin& origin) {
  if (origin.kind == Origin::Kind::variable) {
    return fmt::format(" (variable {})", origin.name);
  }
  return origin.after.empty() ? fmt::format(" (profile {} is not chosen any more)", origin.before)
                              : fmt::format(" (profile {})", origin.after);
}

std::string first_text(const Reason& reason) {
  const auto change = [&] {
    const bool is_tree = reason.field.ends_with("seed tree");
    if (is_tree && !reason.files.empty()) {
      return (reason.field == "seed tree" ? "" : "seed: ") + count_text(reason.files);
    }
    if (const auto input = reason.field.find("input "); input != std::string::npos) {
      const auto* verb = reason.before.empty() ? "added" : (reason.after.empty() ? "gone" : "changed");
      return fmt::format("{}{} {}", reason.field.substr(0, input), reason.field.substr(input + 6), verb);
    }
    if (reason.field.ends_with("key version")) {
      return std::string("made by another version of pyro");
    }
    const bool listed = reason.field.starts_with("cache ") || reason.field.starts_with("secret ")
                        || reason.field.find(": cache ") != std::string::npos
                        || reason.field.find(": secret ") != std::string::npos;
    if (listed && (reason.before.empty() || reason.after.empty())) {
      return fmt::format("{} {}", reason.field, reason.before.empty() ? "added" : "gone");
    }
    // A script or a tree: the two values would say nothing.
    const bool multi_part = reason.field == "run" || reason.field.ends_with(": run") || is_tree;
    if (multi_part || (reason.before.empty() && reason.after.empty())) {
      return reason.field.empty() ? std::string("it stands on other layers") : reason.field + " changed";
    }
    if (reason.before.empty()) {
      return fmt::format("{} set to {}", reason.field, quoted(reason.after));
    }
    return reason.after.empty()
               ? fmt::format("{} {} removed", reason.field, quoted(reason.before))
               : fmt::format("{} {} -> {}", reason.field, quoted(reason.before), quoted(reason.after));
  };
  switch (reason.code) {
  case ReasonCode::unchanged:
  case ReasonCode::cached:
    return "";
  case ReasonCode::first_apply:
    return "first apply";
  case ReasonCode::layer_missing:
    return "not in the store";
  case ReasonCode::no_cache:
    return "the cache is not used";
  case ReasonCode::step_added:
    return reason.field.empty() ? "new step" : reason.field + " added";
  case ReasonCode::step_removed:
    return reason.field.empty() ? "step removed" : reason.field + " removed";
  case ReasonCode::step_moved:
    return reason.field + " has another place in the order";
  case ReasonCode::parent_changed:
    return reason.field.empty() ? "what it builds on changed" : fmt::format("builds on {}", reason.field);
  case ReasonCode::input_changed:
  case ReasonCode::field_changed:
  case ReasonCode::content_changed:
    return change();
  case ReasonCode::no_effect_now:
    return change() + ", used from the next time";
  case ReasonCode::seed_kept:
    return "the seed changed; on_change: keep";
  case ReasonCode::drift_policy:
    return reason.after + " drifted files; drift.policy: reset";
  case ReasonCode::service_added:
    return "new service";
  case ReasonCode::service_removed:
    return "no longer in the file";
  case ReasonCode::service_not_running:
    return fmt::format("it is {}", reason.before);
  case ReasonCode::service_outdated:
    return "runs with an older definition";
  case ReasonCode::secret_changed:
    return fmt::format("the value of secret {} changed", reason.field);
  case ReasonCode::dependency_restarted:
    return fmt::format("{} restarts", reason.field);
  case ReasonCode::workspace_restarted:
    return "with the workspace";
  case ReasonCode::workspace_stopped:
    return "it is stopped";
  case ReasonCode::snapshot_added:
    return "new snapshot";
  case ReasonCode::snapshot_removed:
    return "no longer in the file";
  case ReasonCode::snapshot_outdated:
    return fmt::format("the recipe of {} changed", reason.after);
  case ReasonCode::snapshot_waits:
    return "out of date since the seed was synced; made again when reset or fork uses it";
  case ReasonCode::step_waits:
    return "does not run again where the seed is synced";
  case ReasonCode::renamed:
    return fmt::format(
        "{} was this file's workspace; `pyro adopt NAME` instead of this apply renames it, `pyro destroy -w "
        "NAME` "
        "removes it",
        reason.before);
  case ReasonCode::live_directory:
    return fmt::format("live: {}", reason.after);
  case ReasonCode::asked_for:
    return reason.field.empty() ? "asked for" : reason.field + " is asked for";
  }
  return "";
}

} // namespace

std::string reason_text(const Reason& reason) {
  return first_text(reason) + others_text(reason.inputs) + (reason.origin ? origin_text(*reason.origin) : "");
}

} // namespace pyro::plan
