// The secrets that a plan delivers: one that is not there is found before anything is done.
#include "planner.hpp"

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
