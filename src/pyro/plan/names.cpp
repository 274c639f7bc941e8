#include "plan.hpp"

namespace pyro::plan {

std::string_view name_of(ActionKind kind) {
  switch (kind) {
  case ActionKind::noop:
    return "noop";
  case ActionKind::cached:
    return "cached";
  case ActionKind::note:
    return "note";
  case ActionKind::create:
    return "create";
  case ActionKind::build:
    return "build";
  case ActionKind::rebuild:
    return "rebuild";
  case ActionKind::update:
    return "update";
  case ActionKind::sync:
    return "sync";
  case ActionKind::restart:
    return "restart";
  case ActionKind::start:
    return "start";
  case ActionKind::stop:
    return "stop";
  case ActionKind::reboot:
    return "reboot";
  case ActionKind::reset:
    return "reset";
  case ActionKind::replace:
    return "replace";
  case ActionKind::take:
    return "take";
  case ActionKind::retake:
    return "retake";
  case ActionKind::forget:
    return "forget";
  case ActionKind::destroy:
    return "destroy";
  }
  return "?";
}

std::string_view name_of(ReasonCode code) {
  switch (code) {
  case ReasonCode::unchanged:
    return "unchanged";
  case ReasonCode::first_apply:
    return "first_apply";
  case ReasonCode::cached:
    return "cached";
  case ReasonCode::layer_missing:
    return "layer_missing";
  case ReasonCode::no_cache:
    return "no_cache";
  case ReasonCode::input_changed:
    return "input_changed";
  case ReasonCode::step_added:
    return "step_added";
  case ReasonCode::step_removed:
    return "step_removed";
  case ReasonCode::step_moved:
    return "step_moved";
  case ReasonCode::parent_changed:
    return "parent_changed";
  case ReasonCode::content_changed:
    return "content_changed";
  case ReasonCode::field_changed:
    return "field_changed";
  case ReasonCode::no_effect_now:
    return "no_effect_now";
  case ReasonCode::seed_kept:
    return "seed_kept";
  case ReasonCode::drift_policy:
    return "drift_policy";
  case ReasonCode::service_added:
    return "service_added";
  case ReasonCode::service_removed:
    return "service_removed";
  case ReasonCode::service_not_running:
    return "service_not_running";
  case ReasonCode::service_outdated:
    return "service_outdated";
  case ReasonCode::secret_changed:
    return "secret_changed";
  case ReasonCode::dependency_restarted:
    return "dependency_restarted";
  case ReasonCode::workspace_restarted:
    return "workspace_restarted";
  case ReasonCode::workspace_stopped:
    return "workspace_stopped";
  case ReasonCode::snapshot_added:
    return "snapshot_added";
  case ReasonCode::snapshot_removed:
    return "snapshot_removed";
  case ReasonCode::snapshot_outdated:
    return "snapshot_outdated";
  case ReasonCode::snapshot_waits:
    return "snapshot_waits";
  case ReasonCode::step_waits:
    return "step_waits";
  case ReasonCode::renamed:
    return "renamed";
  case ReasonCode::live_directory:
    return "live_directory";
  case ReasonCode::asked_for:
    return "asked_for";
  }
  return "?";
}

bool is_change(ActionKind kind) {
  return kind != ActionKind::noop && kind != ActionKind::cached && kind != ActionKind::note;
}

bool Plan::empty() const {
  const bool changes = std::any_of(
      actions.begin(), actions.end(), [](const Action& action) { return is_change(action.kind); });
  return !changes && diagnostics.empty();
}

std::vector<std::pair<std::string, std::size_t>> Plan::drift_causes() const {
  std::map<std::string, std::size_t> counts;
  for (const auto& entry : drift) {
    if (!entry.cause.empty()) { // else nobody asked
      ++counts[entry.cause];
    }
  }
  std::vector<std::pair<std::string, std::size_t>> sorted(counts.begin(), counts.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& one, const auto& other) {
    return one.second > other.second;
  });
  return sorted;
}

const Action* Plan::find(std::string_view address) const {
  const auto found = std::find_if(
      actions.begin(), actions.end(), [&](const Action& action) { return action.address == address; });
  return found == actions.end() ? nullptr : &*found;
}

std::string to_string(const Denial& denial) {
  const auto text = fmt::format(
      "{}: denied by {}: {} ({})", to_string(denial.place), denial.rule, denial.address,
      name_of(denial.kind));
  return denial.message.empty() ? text : fmt::format("{}: {}", text, denial.message);
}

std::string address_of(Subject subject, const std::string& name) {
  return (subject == Subject::service ? "services." : "snapshots.") + name;
}

} // namespace pyro::plan
