#include "render.hpp"

#include <pyro/base/safe_text.hpp>
#include <pyro/base/units.hpp>

#include <array>

namespace pyro::plan {

namespace {

struct Verb {
  ActionKind kind;
  std::string_view future;
  std::string_view present;
  std::string_view past;
  std::string_view color; // SGR parameters
};

constexpr std::array k_verbs{
    Verb{ActionKind::noop, "unchanged", "checking", "unchanged", "2"},
    Verb{ActionKind::cached, "cached", "looking up", "cached", "2"},
    Verb{ActionKind::note, "left as it is", "leaving as it is", "left as it is", "36"},
    Verb{ActionKind::create, "create", "creating", "created", "32"},
    Verb{ActionKind::build, "build", "building", "built", "32"},
    Verb{ActionKind::rebuild, "rebuild", "rebuilding", "rebuilt", "33"},
    Verb{ActionKind::update, "update", "updating", "updated", "33"},
    Verb{ActionKind::sync, "sync the seed", "syncing the seed", "synced the seed", "33"},
    Verb{ActionKind::restart, "restart", "restarting", "restarted", "33"},
    Verb{ActionKind::start, "start", "starting", "started", "32"},
    Verb{ActionKind::stop, "stop", "stopping", "stopped", "31"},
    Verb{ActionKind::reboot, "reboot", "rebooting", "rebooted", "33"},
    Verb{ActionKind::reset, "reset", "resetting", "reset", "31"},
    Verb{ActionKind::replace, "replace", "replacing", "replaced", "31"},
    Verb{ActionKind::take, "take", "taking", "taken", "32"},
    Verb{ActionKind::retake, "retake", "retaking", "retaken", "33"},
    Verb{ActionKind::forget, "forget", "forgetting", "forgot", "31"},
};

const Verb& verb_of(ActionKind kind) {
  for (const auto& verb : k_verbs) {
    if (verb.kind == kind) {
      return verb;
    }
  }
  throw Error(ErrorCode::internal, "an action without a verb");
}

std::string files(std::size_t count) {
  return count == 1 ? "1 file" : fmt::format("{} files", count);
}

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : escape_controls(text)) {
    result += c == '"' ? std::string("\\\"") : std::string(1, c);
  }
  return result + "\"";
}

constexpr auto k_apart = " in a separate sandbox";
constexpr std::size_t k_widest_verb = 32; // of those that line the reasons up

/// Lines of text up to a fixed column; never cuts.
std::string padded(std::string text, std::size_t width) {
  std::size_t columns = 0;
  for (const char c : text) {
    columns += (static_cast<unsigned char>(c) & 0xC0) == 0x80 ? 0 : 1;
  }
  text.append(columns < width ? width - columns : 0, ' ');
  return text;
}

std::string painted(std::string text, std::string_view color, Color mode) {
  return mode == Color::on ? fmt::format("\x1b[{}m{}\x1b[0m", color, text) : text;
}

std::string cost_text(std::int64_t cost_ms) {
  return cost_ms == 0 ? "" : "~" + format_elapsed(std::chrono::milliseconds{cost_ms});
}

/// A chain before something to build is shown too: it says where the work begins.
bool is_shown(const Action& action, const Plan& plan, Detail detail) {
  if (detail == Detail::all || is_change(action.kind) || action.kind == ActionKind::note) {
    return true;
  }
  if (action.reason.code == ReasonCode::no_effect_now || action.reason.code == ReasonCode::field_changed) {
    return true;
  }
  return action.subject == Subject::link
         && std::any_of(plan.actions.begin(), plan.actions.end(), [](const Action& other) {
              return other.kind == ActionKind::build || other.kind == ActionKind::rebuild;
            });
}

void append_files(std::string& text, const std::string& heading, const std::vector<DriftEntry>& entries) {
  constexpr std::size_t k_shown = 10;
  if (entries.empty()) {
    return;
  }
  text += heading;
  for (std::size_t i = 0; i < std::min(k_shown, entries.size()); ++i) {
    text += fmt::format("   {} {}", entries[i].change, escape_controls(entries[i].path));
  }
  text += entries.size() > k_shown ? "   …\n" : "\n";
}

void append_discards(std::string& text, const Action& action) {
  append_files(
      text, fmt::format("      would discard {} not in the recipe:", files(action.discards.size())),
      action.discards);
}

/// " (3 by apt, 2 other)"; empty where no cause is known.
std::string causes_text(const Plan& plan) {
  std::vector<std::string> parts;
  bool is_told = false;
  for (const auto& [cause, count] : plan.drift_causes()) {
    parts.push_back(fmt::format("{} {}", count, cause_text(cause)));
    is_told = is_told || (cause != "other" && !cause.empty());
  }
  return is_told ? fmt::format(" ({})", fmt::join(parts, ", ")) : "";
}

/// Changes made inside that nothing of this plan touches.
void append_kept_drift(std::string& text, const Plan& plan) {
  const bool discards = std::any_of(plan.actions.begin(), plan.actions.end(), [](const Action& action) {
    return !action.discards.empty() || action.reason.code == ReasonCode::drift_policy;
  });
  if (!discards) {
    append_files(
        text, fmt::format("Changed inside, kept: {}{}:", files(plan.drift.size()), causes_text(plan)),
        plan.drift);
  }
}

std::string line_of(const Action& action, std::size_t width, std::size_t verb_width, Color color) {
  const auto symbol =
      painted(padded(std::string(symbol_of(action.kind)), 3), verb_of(action.kind).color, color);
  auto line = fmt::format("  {} {} ", symbol, padded(escape_controls(action.address), width));
  line += padded(escape_controls(action_text(action, Tense::future)), verb_width);
  if (const auto why = escape_controls(reason_text(action.reason)); !why.empty()) {
    line += "  " + why + (action.apart ? std::string(",") + k_apart : "");
  }
  if (is_change(action.kind) && action.reason.place.line != 0) {
    line += "  " + escape_controls(to_string(action.reason.place));
  }
  if (const auto cost = cost_text(action.cost_ms); !cost.empty()) {
    line += "  " + cost;
  }
  while (line.ends_with(' ')) {
    line.pop_back();
  }
  return line + "\n";
}

} // namespace

std::string cause_text(std::string_view cause) {
  return cause == "build"                    ? "by build tools"
         : cause == "service"                ? "by services"
         : cause == "command"                ? "by commands"
         : cause == "other" || cause.empty() ? "other"
                                             : "by " + std::string(cause);
}

std::string_view symbol_of(ActionKind kind) {
  switch (kind) {
  case ActionKind::noop:
  case ActionKind::cached:
    return "=";
  case ActionKind::note:
    return "i";
  case ActionKind::create:
  case ActionKind::start:
    return "+";
  case ActionKind::build:
  case ActionKind::rebuild:
  case ActionKind::take:
  case ActionKind::retake:
    return "*";
  case ActionKind::update:
  case ActionKind::sync:
    return "~";
  case ActionKind::restart:
  case ActionKind::reboot:
    return "!";
  case ActionKind::reset:
    return "<";
  case ActionKind::replace:
    return "-/+";
  case ActionKind::stop:
  case ActionKind::forget:
    return "-";
  }
  return "?";
}

namespace {

std::string verb_text(const Action& action, Tense tense) {
  const auto& verb = verb_of(action.kind);
  std::string text(
      tense == Tense::future ? verb.future : (tense == Tense::present ? verb.present : verb.past));
  if (action.kind == ActionKind::noop && action.reason.code == ReasonCode::field_changed) {
    return "included"; // the cold start of the workspace brings it
  }
  if (action.kind == ActionKind::noop && action.reason.code == ReasonCode::no_effect_now) {
    return "noted";
  }
  if (action.target.empty()) {
    return text;
  }
  if (action.kind == ActionKind::reset) {
    return text + " to " + action.target;
  }
  if (action.kind == ActionKind::create || action.kind == ActionKind::replace) {
    return text + " from " + action.target;
  }
  return action.kind == ActionKind::take || action.kind == ActionKind::retake ? text + " at " + action.target
                                                                              : text;
}

} // namespace

std::string action_text(const Action& action, Tense tense) {
  return verb_text(action, tense) + (action.apart && tense != Tense::future ? k_apart : "");
}

std::string reason_text(const Reason& reason) {
  const auto change = [&] {
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
    const bool multi_part =
        reason.field == "run" || reason.field.ends_with(": run") || reason.field.ends_with("seed tree");
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
  }
  return "";
}

namespace {

/// Snapshots that are left out of date; empty: none.
std::string waiting_text(const Plan& plan) {
  std::vector<std::string> names;
  for (const auto& action : plan.actions) {
    if (action.reason.code == ReasonCode::snapshot_waits) {
      names.push_back(action.address);
    }
  }
  return names.empty() ? "" : fmt::format(" Out of date until used: {}.", fmt::join(names, ", "));
}

} // namespace

std::string summary_text(const Plan& plan) {
  if (plan.empty()) {
    return "No changes." + waiting_text(plan) + "\n";
  }
  std::vector<std::string> parts;
  int unchanged = 0;
  for (const auto& verb : k_verbs) {
    const auto found = plan.summary.find(verb.kind);
    if (found == plan.summary.end()) {
      continue;
    }
    if (!is_change(verb.kind)) {
      unchanged += found->second;
      continue;
    }
    parts.push_back(fmt::format("{} {}", found->second, name_of(verb.kind)));
    const auto discarding = std::find_if(plan.actions.begin(), plan.actions.end(), [&](const Action& action) {
      return action.kind == verb.kind && !action.discards.empty();
    });
    if (discarding != plan.actions.end()) {
      parts.back() += fmt::format(" (discards {})", files(discarding->discards.size()));
    }
  }
  parts.push_back(fmt::format("{} unchanged", unchanged));
  auto text = fmt::format("Plan: {}.", fmt::join(parts, ", "));
  if (plan.cost_ms > 0) {
    text += fmt::format(" About {}.", format_elapsed(std::chrono::milliseconds{plan.cost_ms}));
  }
  return text + waiting_text(plan) + "\n";
}

std::string plan_text(const Plan& plan, const PlanHeader& header, Color color, Detail detail) {
  std::string text = fmt::format("pyro plan · {}", escape_controls(header.name));
  text += header.generation ? fmt::format(" · generation {}", *header.generation) : std::string(" · absent");
  text += header.backend.empty() ? "" : " · backend " + header.backend;
  text += fmt::format(" · {:.2f} s\n\n", static_cast<double>(header.elapsed.count()) / 1000.0);

  std::size_t width = 9;
  std::size_t verb_width = 10;
  bool any = false;
  for (const auto& action : plan.actions) {
    if (is_shown(action, plan, detail)) {
      width = std::max(width, action.address.size());
      verb_width = std::max(verb_width, std::min(k_widest_verb, action_text(action, Tense::future).size()));
    }
  }
  for (const auto& action : plan.actions) {
    if (is_shown(action, plan, detail)) {
      text += line_of(action, width, verb_width, color);
      append_discards(text, action);
      any = true;
    }
  }
  text += any ? "\n" : "";
  for (const auto& problem : plan.diagnostics) {
    text += escape_lines(spec::to_string(problem)) + "\n";
  }
  append_kept_drift(text, plan);
  text += summary_text(plan);
  if (plan.needs_approval) {
    text += fmt::format(
        "Needs approval: {}. {}\n", fmt::join(plan.approval_reasons, ", "),
        header.undo.empty() ? "There will be no undo."
                            : fmt::format("An undo point will be kept for {}.", header.undo));
  }
  return text;
}

} // namespace pyro::plan
