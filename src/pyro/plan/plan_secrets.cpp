// The secrets that a plan delivers: one that is not there is found before anything is done.
#include "planner.hpp"

#include <algorithm>

namespace pyro::plan {

namespace {

bool delivers_to_services(const spec::Spec& spec, const Action& action) {
  switch (action.subject) {
  case Subject::service:
    return is_change(action.kind);
  case Subject::snapshot: { // perhaps in a sandbox of its own, in which they are started
    const auto snapshot = spec.snapshots.find(action.name);
    return is_change(action.kind) && snapshot != spec.snapshots.end() && snapshot->second.at == "ready";
  }
  default:
    return false;
  }
}

void add_of_step(
    const std::vector<spec::Step>& steps, const std::string& prefix, const Action& action,
    std::set<std::string>& names) {
  for (const auto& step : steps) {
    if (action.address == prefix + step.id) {
      names.insert(step.secrets.begin(), step.secrets.end());
    }
  }
}

} // namespace

std::set<std::string> secrets_needed(const spec::Spec& spec, const std::vector<Action>& actions) {
  std::set<std::string> names;
  const bool is_something_done = std::any_of(
      actions.begin(), actions.end(), [](const Action& action) { return is_change(action.kind); });
  for (const auto& [name, secret] : spec.secrets) {
    if (is_something_done && secret.is_for_requests()) {
      names.insert(name);
    }
  }
  for (const auto& action : actions) {
    if (delivers_to_services(spec, action)) {
      for (const auto& [unused, service] : spec.services) {
        names.insert(service.secrets.begin(), service.secrets.end());
      }
    }
    if (action.subject == Subject::link && is_change(action.kind)) {
      add_of_step(spec.environment.setup, "environment.setup.", action, names);
      add_of_step(spec.prepare, "prepare.", action, names);
    }
  }
  return names;
}

/// The gateway puts another value into requests from now on; nothing inside knows of it.
void Planner::update_request_secrets() {
  for (const auto& name : m_observed.changed_secrets) {
    const auto found = m_spec.secrets.find(name);
    if (found != m_spec.secrets.end() && found->second.is_for_requests() && !starts_everything()) {
      const auto address = "secrets." + name;
      add(Subject::field, address, ActionKind::update,
          {ReasonCode::secret_changed, name, "", "", place(address)});
    }
  }
}

void Planner::plan_secrets() {
  for (const auto& name : secrets_needed(m_spec, m_actions)) {
    const auto missing = m_observed.missing_secrets.find(name);
    if (missing == m_observed.missing_secrets.end()) {
      continue;
    }
    spec::Diagnostic problem;
    problem.code = "secret";
    problem.address = "secrets." + name;
    problem.place = place(problem.address);
    problem.message = missing->second;
    problem.hint = "set it and run it again, or write `required: false`";
    m_plan.diagnostics.push_back(std::move(problem));
  }
}

} // namespace pyro::plan
