#include "loss.hpp"

#include <pyro/base/units.hpp>
#include <pyro/plan/render.hpp>
#include <pyro/spec/applied_spec.hpp>
#include <pyro/workspace/apply/changed_files.hpp>
#include <pyro/workspace/state/drift.hpp>

namespace pyro::workspace {

namespace {

std::vector<plan::DriftEntry> changes_inside(
    const Context& context, const store::WorkspacePaths& paths, const store::WorkspaceRecord& record) {
  if (is_destroyed(record) || record.generation == 0) {
    return {};
  }
  DriftRequest request{{"/"}, {}};
  if (record.seed.mode == "directory") {
    request.in_git = git_knowledge(record.seed.path, spec::applied_spec(record.spec).seed_directory);
  }
  return find_drift(context, paths, record, base_stack_of(record), request);
}

} // namespace

LossPlan plan_of_loss(
    const Context& context, const store::WorkspacePaths& paths, const store::WorkspaceRecord& record,
    plan::ActionKind action, const std::string& target, const std::vector<std::string>& forgets) {
  LossPlan loss;
  auto& actions = loss.plan.actions;
  plan::Action main;
  main.subject = plan::Subject::workspace;
  main.address = "workspace";
  main.kind = action;
  main.reason.code = plan::ReasonCode::asked_for;
  main.target = target;
  main.discards = changes_inside(context, paths, record);
  const auto cost = record.action_cost_ms.find(plan::cost_name(main));
  main.cost_ms = cost == record.action_cost_ms.end() ? 0 : cost->second;
  actions.push_back(std::move(main));
  for (const auto& name : forgets) {
    plan::Action forget;
    forget.subject = plan::Subject::snapshot;
    forget.name = name;
    forget.address = plan::address_of(forget.subject, name);
    forget.kind = plan::ActionKind::forget;
    forget.reason.code = plan::ReasonCode::asked_for;
    forget.after = {"workspace"};
    actions.push_back(std::move(forget));
  }
  for (const auto& one : actions) {
    ++loss.plan.summary[one.kind];
  }
  loss.plan.needs_approval = is_for_good(record, loss) || !forgets.empty();
  if (loss.plan.needs_approval) {
    loss.plan.approval_reasons.emplace_back(plan::name_of(action));
  }
  plan::PlanHeader header;
  header.name = record.name;
  header.workspace_id = record.id;
  header.generation = static_cast<std::uint64_t>(record.spec_generation);
  header.backend = record.backend;
  const auto undo = std::chrono::milliseconds(record.lifecycle.undo_ms);
  header.undo = undo.count() > 0 && forgets.empty() ? format_duration(undo) : "";
  loss.text = plan::plan_text(loss.plan, header, plan::Color::off);
  loss.document = plan::plan_json(loss.plan, header);
  return loss;
}

bool is_for_good(const store::WorkspaceRecord& record, const LossPlan& loss) {
  return record.lifecycle.undo_ms == 0 && !loss.plan.actions.front().discards.empty();
}

Json not_done(const store::WorkspaceRecord& record, const LossPlan& loss) {
  return {{"workspace_id", record.id}, {"name", record.name},   {"changed", false}, {"dry_run", true},
          {"would_change", true},      {"plan", loss.document}, {"text", loss.text}};
}

} // namespace pyro::workspace
