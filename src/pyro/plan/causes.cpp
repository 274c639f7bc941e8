// What an action follows from: another action, the files that changed, a variable or a profile; and what it
// cost before.
#include "planner.hpp"

namespace pyro::plan {

namespace {

constexpr std::string_view k_seed_tree = "seed tree";

bool is_of_files(const std::string& input) {
  return input == k_seed_tree || input.starts_with("input ");
}

} // namespace

/// The files behind "seed tree" or "input NAME"; of the workspace it is "seed: seed tree".
void Planner::name_files(Reason& reason, const std::string& address) const {
  auto owner = address == "workspace.seed" ? std::string("seed") : address;
  auto input = reason.field;
  if (const auto colon = reason.field.find(": "); colon != std::string::npos) {
    owner = reason.field.substr(0, colon);
    input = reason.field.substr(colon + 2);
  }
  const bool has_files =
      is_of_files(input)
      || std::any_of(reason.inputs.begin(), reason.inputs.end(), [](const Difference& other) {
           return is_of_files(other.input);
         });
  if (const auto found = m_observed.file_changes.find(owner);
      has_files && found != m_observed.file_changes.end()) {
    reason.files = found->second;
  }
}

void Planner::name_inputs(Action& action) const {
  const auto code = action.reason.code;
  if (action.subject == Subject::link && code == ReasonCode::input_changed) {
    for (const auto& link : m_content.chain) {
      const auto* applied = link.address == action.address ? applied_link(link) : nullptr;
      if (applied != nullptr) {
        action.reason.inputs = link_differences(*applied, link);
      }
    }
  }
  if (action.subject == Subject::service && code == ReasonCode::field_changed
      && action.address == address_of(Subject::service, action.name)) {
    action.reason.inputs = service_differences(action.name);
  }
}

/// The address of another action; empty: it is the beginning.
std::string Planner::cause_of(const Action& action) const {
  const auto& reason = action.reason;
  switch (reason.code) {
  case ReasonCode::parent_changed:
  case ReasonCode::dependency_restarted:
    return reason.field;
  case ReasonCode::workspace_restarted:
    return "workspace";
  case ReasonCode::asked_for:
    return action.subject == Subject::workspace ? reason.field : "";
  case ReasonCode::content_changed:
    return m_content.difference ? m_content.difference->address : "";
  case ReasonCode::snapshot_waits:
  case ReasonCode::step_waits:
    return "seed";
  case ReasonCode::snapshot_outdated: {
    const auto index = index_of_point(m_content.chain, action.target);
    for (std::size_t i = 0; index && i <= *index; ++i) {
      const auto& link = m_content.chain[i];
      const auto* applied = applied_link(link);
      if (applied != nullptr && applied->key != link.key) {
        return link.address;
      }
    }
    return "";
  }
  default:
    return "";
  }
}

std::optional<Origin> Planner::origin_of(const Position& place) const {
  if (place.line == 0 || !m_observed.exists) {
    return std::nullopt;
  }
  for (const auto& [address, position] : m_spec.positions) {
    if (position != place) {
      continue;
    }
    for (const auto& name : m_spec.variables_of(address)) {
      const auto before = m_observed.applied_vars.find(name);
      const auto declared = m_spec.vars.find(name);
      const auto now = declared == m_spec.vars.end() ? std::string() : declared->second.value.value_or("");
      if (before != m_observed.applied_vars.end() && before->second != now) {
        return Origin{Origin::Kind::variable, name, before->second, now, m_spec.place("vars." + name)};
      }
    }
    const auto& applied = m_observed.applied_profile;
    if (applied && *applied != m_spec.profile
        && (m_spec.is_reached(m_spec.profile, address) || m_spec.is_reached(*applied, address))) {
      const auto& named = m_spec.profile.empty() ? *applied : m_spec.profile;
      return Origin{Origin::Kind::profile, "", *applied, m_spec.profile, m_spec.place("profiles." + named)};
    }
  }
  return std::nullopt;
}

std::int64_t Planner::cost_of(const Action& action) const {
  const auto step = m_observed.step_cost_ms.find(action.address);
  if (step != m_observed.step_cost_ms.end()) {
    return step->second;
  }
  const auto did = m_observed.action_cost_ms.find(cost_name(action));
  return did == m_observed.action_cost_ms.end() ? 0 : did->second;
}

void Planner::explain() {
  for (auto& action : m_actions) {
    name_inputs(action);
    name_files(action.reason, action.address);
    action.reason.cause = cause_of(action);
    action.reason.origin = origin_of(action.reason.place);
    if (action.reason.cause == action.address) {
      action.reason.cause.clear();
    }
    action.cost_ms = cost_of(action);
  }
}

std::string cost_name(const Action& action) {
  const bool is_again = action.kind == ActionKind::rebuild || action.kind == ActionKind::cached;
  const auto kind = is_again                            ? ActionKind::build
                    : action.kind == ActionKind::retake ? ActionKind::take
                                                        : action.kind;
  return fmt::format("{} {}", action.address, name_of(kind));
}

} // namespace pyro::plan
