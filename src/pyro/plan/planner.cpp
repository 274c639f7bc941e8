#include "planner.hpp"

#include "order.hpp"

namespace pyro::plan {

namespace {

/// Later ones include what the earlier ones do.
int weight_of(ActionKind kind) {
  switch (kind) {
  case ActionKind::start:
    return 1;
  case ActionKind::reboot:
    return 2;
  case ActionKind::reset:
    return 3;
  case ActionKind::replace:
    return 4;
  case ActionKind::create:
    return 5;
  default:
    return 0;
  }
}

std::uint64_t disk_of(const Json& applied_spec) {
  try {
    return static_cast<std::uint64_t>(
        get_int(value_at(value_at(applied_spec, "environment"), "resources"), "disk"));
  } catch (const Error&) {
    return 0; // a record without it: any size counts as growth
  }
}

} // namespace

Planner::Planner(const spec::Spec& spec, const std::vector<Link>& chain, const Observed& observed)
    : m_spec(spec), m_observed(observed) {
  if (observed.exists) {
    m_content = judge_content(chain, observed, spec.seed.on_change);
    if (keeps_seed() && observed.build_all) {
      m_content.chain = chain; // all is made anew, of what is there now
    }
  } else {
    m_content.chain = chain;
  }
  m_cached = observed.cached_keys;
  for (auto i = first_asked_for(); i && *i < m_content.chain.size(); ++*i) {
    m_cached.erase(m_content.chain[*i].key);
  }
}

std::optional<std::size_t> Planner::first_asked_for() const {
  const auto& chain = m_content.chain;
  const auto found =
      std::find_if(chain.begin(), chain.end(), [&](const Link& link) { return is_asked_for(link.address); });
  return found == chain.end() ? std::nullopt : std::optional<std::size_t>(found - chain.begin());
}

Action& Planner::add(Subject subject, std::string address, ActionKind kind, Reason reason) {
  Action action;
  action.subject = subject;
  action.address = std::move(address);
  action.kind = kind;
  action.reason = std::move(reason);
  m_actions.push_back(std::move(action));
  return m_actions.back();
}

Action& Planner::add_named(Subject subject, const std::string& name, ActionKind kind, Reason reason) {
  auto& action = add(subject, address_of(subject, name), kind, std::move(reason));
  action.name = name;
  return action;
}

bool Planner::keeps_seed() const {
  return m_content.verdict == ContentVerdict::kept;
}

bool Planner::starts_everything() const {
  return weight_of(m_workspace) > 0;
}

bool Planner::content_is_renewed() const {
  return weight_of(m_workspace) >= weight_of(ActionKind::reset);
}

void Planner::raise(ActionKind kind, Reason reason) {
  if (weight_of(kind) > weight_of(m_workspace)) {
    m_workspace = kind;
    m_workspace_reason = std::move(reason);
  }
}

/// Fields that differ from the applied spec: each becomes an update or a note, or raises what happens to the
/// workspace.
void Planner::decide_fields() {
  if (!m_observed.exists || !m_observed.applied_spec.is_object()) {
    return;
  }
  m_fields = field_changes(m_observed.applied_spec, spec::normal_form(m_spec));
  for (const auto& change : m_fields) {
    if (change.effect == FieldEffect::image_text && m_content.verdict == ContentVerdict::replaced) {
      continue;
    }
    Reason reason{
        ReasonCode::field_changed, change.field, change.before, change.after, place(change.address)};
    Reason in_full = reason;
    in_full.field = change.address;
    bool now = true;
    switch (change.effect) {
    case FieldEffect::none:
    case FieldEffect::image_text:
      now = false;
      break;
    case FieldEffect::update:
      break;
    case FieldEffect::reboot:
      raise(ActionKind::reboot, in_full);
      break;
    case FieldEffect::live_resize:
      if (!m_observed.capabilities.contains("live_resize")) {
        raise(ActionKind::reboot, in_full);
      }
      break;
    case FieldEffect::egress:
      if (!m_observed.capabilities.contains("egress_filter")
          || spec::egress_from_text(change.before).kind != spec::EgressKind::hosts
          || m_spec.network_egress.kind != spec::EgressKind::hosts) {
        raise(ActionKind::reboot, in_full);
      }
      break;
    case FieldEffect::disk:
      if (m_spec.environment.resources.disk < disk_of(m_observed.applied_spec)) {
        raise(ActionKind::replace, in_full);
      }
      break;
    case FieldEffect::backend:
      if (m_observed.isolation < m_spec.isolation
          || (m_spec.backend != "auto" && m_spec.backend != m_observed.backend)) {
        raise(ActionKind::replace, in_full);
      } else {
        now = false;
      }
      break;
    case FieldEffect::replace:
      raise(ActionKind::replace, in_full);
      break;
    }
    if (change.effect != FieldEffect::none && change.effect != FieldEffect::update) {
      m_with_workspace.insert(change.address);
    }
    reason.code = now ? ReasonCode::field_changed : ReasonCode::no_effect_now;
    const auto kind = now ? ActionKind::update : ActionKind::noop;
    if (change.service.empty()) {
      add(Subject::field, change.address, kind, reason);
    } else {
      add(Subject::service, change.address, kind, reason).name = change.service;
    }
  }
}

void Planner::decide_workspace() {
  if (!m_observed.exists) {
    raise(ActionKind::create, {ReasonCode::first_apply, "", "", "", {}});
    if (const auto& earlier = m_observed.earlier_names; !earlier.empty()) {
      add(Subject::field, "name", ActionKind::note,
          {ReasonCode::renamed, "name", fmt::format("{}", fmt::join(earlier, ", ")), m_spec.name,
           place("name")});
    }
    return;
  }
  const auto& difference = m_content.difference;
  Reason changed{ReasonCode::content_changed, "", "", "", {}};
  if (difference && difference->input.empty()) {
    const bool is_gone = difference->kind == DifferenceKind::removed;
    changed.code = is_gone                                     ? ReasonCode::step_removed
                   : difference->kind == DifferenceKind::moved ? ReasonCode::step_moved
                                                               : ReasonCode::step_added;
    changed.field = difference->address;
    changed.place = is_gone ? Position{} : place(difference->address);
  } else if (difference) {
    changed.field = difference->address + ": " + difference->input;
    changed.before = difference->before;
    changed.after = difference->after;
    changed.place = difference->place;
  }
  if (m_content.verdict == ContentVerdict::replaced) {
    raise(ActionKind::replace, changed);
  } else if (m_content.verdict == ContentVerdict::stale) {
    raise(ActionKind::reset, changed);
  }
  if (m_observed.build_all) {
    raise(ActionKind::reset, {ReasonCode::no_cache, "", "", "", {}});
  }
  if (is_asked_for("workspace")) {
    raise(ActionKind::replace, {ReasonCode::asked_for, "", "", "", {}});
  }
  if (const auto index = first_asked_for()) {
    const auto& address = m_content.chain[*index].address;
    raise(ActionKind::reset, {ReasonCode::asked_for, address, "", "", place(address)});
  }
  const bool drifted = !m_observed.drift.empty();
  if (drifted && m_spec.drift.policy == spec::DriftPolicy::reset) {
    raise(
        ActionKind::reset, {ReasonCode::drift_policy, "drift", "", std::to_string(m_observed.drift.size()),
                            place("drift.policy")});
  }
  if (drifted && m_spec.drift.policy == spec::DriftPolicy::fail) {
    spec::Diagnostic problem;
    problem.code = "drift";
    problem.place = place("drift.policy");
    problem.address = "drift.policy";
    problem.message = fmt::format(
        "{} files differ from the recipe, first {}", m_observed.drift.size(), m_observed.drift[0].path);
    problem.hint = "see them with 'pyro diff', drop them with 'pyro reset'";
    m_plan.diagnostics.push_back(std::move(problem));
  }
  if (!m_observed.is_drift_known && m_spec.drift.policy != spec::DriftPolicy::report) {
    spec::Diagnostic problem;
    problem.code = "drift";
    problem.place = place("drift.policy");
    problem.address = "drift.policy";
    problem.message = "the file wants to know what was changed inside, and nobody looked";
    problem.hint = "leave --refresh=false out, or --set drift.policy=report";
    m_plan.diagnostics.push_back(std::move(problem));
  }
  if (m_observed.state != WorkspaceState::started) {
    raise(ActionKind::start, {ReasonCode::workspace_stopped, "", "", "", {}});
  }
}

void Planner::finish() {
  Action& workspace = add(Subject::workspace, "workspace", m_workspace, m_workspace_reason);
  for (const auto& link : m_content.chain) {
    const auto is_apart = [&](const Action& action) {
      return action.apart && action.address == link.address;
    };
    if (std::any_of(m_actions.begin(), m_actions.end(), is_apart)) {
      break; // it waits for nothing that it does not stand on
    }
    workspace.after.push_back(link.address);
  }
  if (content_is_renewed()) {
    workspace.target = content_target(content_index());
    workspace.key = m_content.chain[content_index()].key;
    if (m_workspace != ActionKind::create && m_spec.drift.policy != spec::DriftPolicy::reset) {
      workspace.discards = m_observed.drift;
    }
  }
  const bool may_lose =
      content_is_renewed() && m_workspace != ActionKind::create && !m_observed.is_drift_known;
  if (!workspace.discards.empty() || may_lose) {
    m_plan.needs_approval = true;
    m_plan.approval_reasons.emplace_back(name_of(m_workspace));
  }
  if (m_content.verdict == ContentVerdict::sync && !content_is_renewed()) {
    const auto& difference = m_content.difference;
    Action& sync =
        add(Subject::seed, "workspace.seed", ActionKind::sync,
            {ReasonCode::input_changed, difference->input, difference->before, difference->after,
             difference->place});
    sync.after = {"seed", "workspace"};
    sync.key = key_of_point(m_content.chain, "seed");
  }
  const bool cold_start = weight_of(m_workspace) >= weight_of(ActionKind::reboot);
  for (auto& action : m_actions) {
    if (cold_start && action.kind == ActionKind::update && m_with_workspace.contains(action.address)) {
      action.kind = ActionKind::noop;
    }
    if (action.subject != Subject::link && action.kind == ActionKind::update) {
      const bool of_service = action.subject == Subject::service;
      action.after = {"workspace", of_service ? address_of(Subject::service, action.name) : "workspace"};
    }
  }
  explain();
  m_plan.actions = in_order(std::move(m_actions), m_content.chain);
  std::int64_t of_services = 0; // they start at once
  for (const auto& action : m_plan.actions) {
    ++m_plan.summary[action.kind];
    if (is_change(action.kind) && action.subject == Subject::service) {
      of_services = std::max(of_services, action.cost_ms);
    } else if (is_change(action.kind)) {
      m_plan.cost_ms += action.cost_ms;
    }
  }
  m_plan.cost_ms += of_services;
  m_plan.drift = m_observed.drift;
  m_plan.is_drift_known = m_observed.is_drift_known;
  m_plan.chain = std::move(m_content.chain);
}

/// New content, and what is no part of it.
void Planner::note_mounts() {
  const auto is_told = [](const FieldChange& change) {
    return change.address == "mounts";
  };
  if (m_spec.mounts.empty() || !content_is_renewed()
      || std::any_of(m_fields.begin(), m_fields.end(), is_told)) {
    return;
  }
  std::vector<std::string> mounts;
  for (const auto& mount : m_spec.mounts) {
    mounts.push_back(fmt::format("{}:{}:{}", mount.from, mount.to, spec::name_of(mount.mode)));
  }
  add(Subject::field, "mounts", ActionKind::note,
      {ReasonCode::live_directory, "", "", fmt::format("{}", fmt::join(mounts, ", ")), place("mounts")});
}

Plan Planner::run() {
  decide_fields();
  decide_workspace();
  plan_stops();
  plan_services();
  plan_ports();
  plan_snapshots();
  plan_layers();
  update_request_secrets();
  plan_secrets();
  note_mounts();
  finish();
  return std::move(m_plan);
}

Plan make_plan(const spec::Spec& spec, const std::vector<Link>& chain, const Observed& observed) {
  return Planner(spec, chain, observed).run();
}

} // namespace pyro::plan
