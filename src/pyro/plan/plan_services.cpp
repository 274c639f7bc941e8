// The services of a plan.
#include "planner.hpp"

#include <algorithm>
#include <set>

namespace pyro::plan {

namespace {

bool is_alive(const std::string& state) {
  return state == "starting" || state == "running" || state == "ready";
}

const Link* ready_link(const std::vector<Link>& chain) {
  return !chain.empty() && chain.back().point == "ready" ? &chain.back() : nullptr;
}

/// The inputs of one service as a link of their own.
Link part_of(const Link& ready, const std::string& service) {
  Link part;
  part.address = "services." + service;
  const auto prefix = part.address + ".";
  for (auto input : ready.inputs) {
    if (input.name.starts_with(prefix)) {
      input.name = input.name.substr(prefix.size());
      part.inputs.push_back(std::move(input));
    }
  }
  return part;
}

} // namespace

bool Planner::was_applied(const std::string& name) const {
  const auto* ready = ready_link(m_observed.applied_links);
  return ready && !part_of(*ready, name).inputs.empty();
}

/// Between how it was defined at the last apply and now; of a new one: nothing.
std::vector<Difference> Planner::service_differences(const std::string& name) const {
  const auto* before = ready_link(m_observed.applied_links);
  const auto* after = ready_link(m_content.chain);
  if (!before || !after || !was_applied(name)) {
    return {};
  }
  return link_differences(part_of(*before, name), part_of(*after, name));
}

std::optional<Reason> Planner::definition_change(const std::string& name) const {
  if (const auto differences = service_differences(name); !differences.empty()) {
    const auto& first = differences.front();
    return Reason{ReasonCode::field_changed, first.input, first.before, first.after, first.place};
  }
  const auto started = m_observed.service_digests.find(name);
  if (started != m_observed.service_digests.end() && !started->second.empty()
      && started->second != service_digest(m_content.chain, name)) {
    return Reason{ReasonCode::service_outdated, "", "", "", place("services." + name)};
  }
  return std::nullopt;
}

std::optional<Reason> Planner::secret_change(const std::string& name) const {
  for (const auto& secret : m_spec.services.at(name).secrets) {
    if (m_observed.changed_secrets.contains(secret)) {
      return Reason{
          ReasonCode::secret_changed, secret, "", "", place(address_of(Subject::service, name) + ".secrets")};
    }
  }
  return std::nullopt;
}

Action Planner::service_action(const std::string& name) const {
  const auto& service = m_spec.services.at(name);
  const auto found = m_observed.service_states.find(name);
  const auto state = found == m_observed.service_states.end() ? std::string{} : found->second;
  Action action;
  action.subject = Subject::service;
  action.name = name;
  action.address = address_of(Subject::service, name);
  const auto as = [&](ActionKind kind, Reason reason) {
    action.kind = kind;
    action.reason = std::move(reason);
    return action;
  };
  if (m_workspace == ActionKind::create) {
    return as(ActionKind::start, {ReasonCode::first_apply, "", "", "", {}});
  }
  if (!was_applied(name) && state.empty()) {
    return as(ActionKind::start, {ReasonCode::service_added, "", "", "", place(action.address)});
  }
  auto change = definition_change(name);
  if (!change && is_asked_for(action.address)) {
    change = Reason{ReasonCode::asked_for, "", "", "", {}};
  }
  if (starts_everything()) {
    const Reason with_workspace{ReasonCode::workspace_restarted, "", "", "", {}};
    return as(change ? ActionKind::restart : ActionKind::start, change.value_or(with_workspace));
  }
  if (!change && is_alive(state)) { // a oneshot that is done has had it
    change = secret_change(name);
  }
  if (change) {
    return as(is_alive(state) ? ActionKind::restart : ActionKind::start, *change);
  }
  const bool done = service.oneshot && state == "completed";
  if (!is_alive(state) && !done) {
    return as(
        ActionKind::start,
        {ReasonCode::service_not_running, "state", state.empty() ? "absent" : state, "running", {}});
  }
  return as(ActionKind::noop, {});
}

void Planner::restart_dependents(std::map<std::string, Action>& services) const {
  bool again = true;
  while (again) {
    again = false;
    for (auto& [name, action] : services) {
      if (action.kind != ActionKind::noop) {
        continue;
      }
      for (const auto& [other, dependency] : m_spec.services.at(name).depends_on) {
        const auto found = services.find(other);
        if (dependency.restart && found != services.end() && found->second.kind != ActionKind::noop) {
          action.kind = ActionKind::restart;
          action.reason = {
              ReasonCode::dependency_restarted, address_of(Subject::service, other), "", "",
              place(fmt::format("services.{}.depends_on.{}", name, other))};
          again = true;
          break;
        }
      }
    }
  }
}

void Planner::plan_services() {
  std::map<std::string, Action> services;
  for (const auto& [name, service] : m_spec.services) {
    Action action = service_action(name);
    action.after.push_back("workspace");
    action.after.push_back("workspace.seed");
    for (const auto& [other, unused] : service.depends_on) {
      action.after.push_back(address_of(Subject::service, other));
    }
    services.emplace(name, std::move(action));
  }
  if (!starts_everything()) {
    restart_dependents(services);
  }
  for (auto& [name, action] : services) {
    m_actions.push_back(std::move(action));
  }
}

/// Ports that should be published and are not, or cannot be.
void Planner::plan_ports() {
  for (const auto& [name, service] : m_spec.services) {
    const auto service_address = address_of(Subject::service, name);
    const auto address = service_address + ".ports";
    bool is_missing = false;
    std::multiset<std::string> wanted;
    for (const auto& port : service.ports) {
      const auto publication = publication_of(name, port);
      wanted.insert(publication);
      is_missing = is_missing
                   || (m_observed.published_ports
                       && m_observed.published_ports->count(publication) < wanted.count(publication));
      if (const auto why = m_observed.blocked_ports.find(publication);
          why != m_observed.blocked_ports.end()) {
        spec::Diagnostic problem;
        problem.code = "port";
        problem.place = place(address);
        problem.address = address;
        problem.message = why->second;
        problem.hint =
            fmt::format("end it, publish another port, or write `\"{}\"` for a free one", port.port);
        m_plan.diagnostics.push_back(std::move(problem));
      }
    }
    const bool is_planned = std::any_of(
        m_actions.begin(), m_actions.end(), [&](const Action& action) { return action.address == address; });
    const auto own = std::find_if(m_actions.begin(), m_actions.end(), [&](const Action& action) {
      return action.address == service_address;
    });
    const bool comes_anyway = starts_everything() || own == m_actions.end() || is_change(own->kind);
    if (is_missing && !is_planned && !comes_anyway) {
      add(Subject::service, address, ActionKind::update,
          {ReasonCode::field_changed, "ports", "not published", "published", place(address)})
          .name = name;
    }
  }
}

void Planner::plan_stops() {
  std::set<std::string> known;
  for (const auto& [name, unused] : m_observed.service_states) {
    known.insert(name);
  }
  if (const auto* ready = ready_link(m_observed.applied_links)) {
    for (const auto& input : ready->inputs) {
      constexpr std::string_view k_prefix = "services.";
      if (!input.name.starts_with(k_prefix)) {
        continue; // of all of them together
      }
      const auto rest = std::string_view(input.name).substr(k_prefix.size());
      known.insert(std::string(rest.substr(0, rest.find('.'))));
    }
  }
  for (const auto& name : known) {
    const auto state = m_observed.service_states.find(name);
    const bool alive = state != m_observed.service_states.end() && is_alive(state->second);
    const bool running = m_observed.state == WorkspaceState::started && alive;
    if (!m_spec.services.contains(name) && running) {
      add_named(Subject::service, name, ActionKind::stop, {ReasonCode::service_removed, "", "", "", {}});
    }
  }
}

} // namespace pyro::plan
