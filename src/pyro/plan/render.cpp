#include "render.hpp"

#include <pyro/base/safe_text.hpp>
#include <pyro/base/units.hpp>

#include <array>
#include <set>

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
    Verb{ActionKind::destroy, "destroy", "destroying", "destroyed", "31"},
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

/// Which of the files git has; empty where nobody knows.
std::string kept_in_git(const std::vector<DriftEntry>& entries) {
  std::size_t kept = 0;
  for (const auto& entry : entries) {
    if (!entry.in_git) {
      return "";
    }
    kept += *entry.in_git ? 1 : 0;
  }
  return kept == entries.size() ? " (git has all of it)"
         : kept == 0            ? " (git has none of it)"
                                : fmt::format(" (git has {} of them)", kept);
}

void append_discards(std::string& text, const Action& action) {
  append_files(
      text,
      fmt::format(
          "      would discard {} not in the recipe{}:", files(action.discards.size()),
          kept_in_git(action.discards)),
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

/// The files of the seed or of a step's inputs that changed, a line for each kind of change.
void append_changed_files(std::string& text, const FileChanges& changes) {
  for (const auto& [letter, total] :
       {std::pair{'M', changes.modified}, std::pair{'A', changes.added}, std::pair{'D', changes.deleted}}) {
    std::string line;
    std::size_t named = 0;
    for (const auto& file : changes.named) {
      if (file.change == letter) {
        ++named;
        line += fmt::format("   {} {}", letter, escape_controls(file.path));
        line += file.in_git && !*file.in_git ? " (not in git)" : "";
      }
    }
    if (total > named) {
      line += fmt::format("   and {} more", total - named);
    }
    text += line.empty() ? "" : "   " + line + "\n";
  }
}

/// Said once: the workspace that follows from the seed has the same files.
void append_files_once(std::string& text, const Action& action, std::set<std::string>& told) {
  const auto& reason = action.reason;
  const auto owner = action.address == "workspace.seed" ? std::string("seed")
                     : reason.cause.empty()             ? action.address
                                                        : reason.cause;
  if (!reason.files.empty() && told.insert(owner).second) {
    append_changed_files(text, reason.files);
  }
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

void append_limits(std::string& text, const Plan& plan) {
  std::vector<std::string> parts;
  for (const auto& left : plan.left_out) {
    parts.push_back(fmt::format("{} ({})", escape_controls(left.address), verb_of(left.kind).future));
  }
  if (!parts.empty()) {
    text += fmt::format("Left out: {}.\n", fmt::join(parts, ", "));
  }
  for (const auto& denial : plan.denials) {
    text += escape_lines(to_string(denial)) + "\n";
  }
  if (!plan.is_drift_known) {
    text += "Not looked at: what was changed inside.\n";
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
  if (const auto cost = cost_text(action.cost_ms); is_change(action.kind) && !cost.empty()) {
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
  case ActionKind::destroy:
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
  std::set<std::string> told;
  for (const auto& action : plan.actions) {
    if (is_shown(action, plan, detail)) {
      width = std::max(width, action.address.size());
      verb_width = std::max(verb_width, std::min(k_widest_verb, action_text(action, Tense::future).size()));
    }
  }
  for (const auto& action : plan.actions) {
    if (is_shown(action, plan, detail)) {
      text += line_of(action, width, verb_width, color);
      append_files_once(text, action, told);
      append_discards(text, action);
      any = true;
    }
  }
  text += any ? "\n" : "";
  for (const auto& problem : plan.diagnostics) {
    text += escape_lines(spec::to_string(problem)) + "\n";
  }
  append_kept_drift(text, plan);
  append_limits(text, plan);
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
