#include "asked_plan.hpp"

#include <pyro/plan/render.hpp>

namespace pyro::workspace {

namespace {

plan::Action asked(plan::Subject subject, std::string address, plan::ActionKind kind) {
  plan::Action action;
  action.subject = subject;
  action.address = std::move(address);
  action.kind = kind;
  action.reason.code = plan::ReasonCode::asked_for;
  return action;
}

} // namespace

plan::Action asked_of_workspace(plan::ActionKind kind, const std::string& target) {
  auto action = asked(plan::Subject::workspace, "workspace", kind);
  action.target = target;
  return action;
}

plan::Action asked_of(plan::Subject subject, const std::string& name, plan::ActionKind kind) {
  auto action = asked(subject, plan::address_of(subject, name), kind);
  action.name = name;
  return action;
}

std::vector<plan::Action> start_of_services(const Located& located) {
  std::vector<plan::Action> actions;
  if (!located.project) {
    return actions;
  }
  for (const auto& [name, service] : located.project->spec.services) {
    auto start = asked_of(plan::Subject::service, name, plan::ActionKind::start);
    start.reason = {plan::ReasonCode::workspace_restarted, "", "", "", {}};
    start.reason.cause = "workspace";
    start.after = {"workspace"};
    for (const auto& [other, unused] : service.depends_on) {
      start.after.push_back(plan::address_of(plan::Subject::service, other));
    }
    actions.push_back(std::move(start));
  }
  return actions;
}

AskedPlan asked_plan(const store::WorkspaceRecord& record, plan::Plan plan, const std::string& undo) {
  AskedPlan asked{std::move(plan), {}, {}};
  for (auto& action : asked.plan.actions) {
    const auto cost = record.action_cost_ms.find(plan::cost_name(action));
    action.cost_ms = cost == record.action_cost_ms.end() ? 0 : cost->second;
    ++asked.plan.summary[action.kind];
  }
  plan::PlanHeader header;
  header.name = record.name;
  header.workspace_id = record.id;
  header.generation = static_cast<std::uint64_t>(record.spec_generation);
  header.backend = record.backend;
  header.undo = undo;
  asked.text = plan::plan_text(asked.plan, header, plan::Color::off);
  asked.document = plan::plan_json(asked.plan, header);
  return asked;
}

Json not_done(const store::WorkspaceRecord& record, const AskedPlan& asked) {
  return {
      {"workspace_id", record.id},           {"name", record.name},    {"changed", false},  {"dry_run", true},
      {"would_change", !asked.plan.empty()}, {"plan", asked.document}, {"text", asked.text}};
}

Json not_done(const store::WorkspaceRecord& record, std::vector<plan::Action> actions) {
  plan::Plan plan;
  plan.actions = std::move(actions);
  return not_done(record, asked_plan(record, std::move(plan), ""));
}

} // namespace pyro::workspace
