#include "loss.hpp"

#include <pyro/base/units.hpp>
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

plan::Action loss_action(
    const Context& context, const store::WorkspacePaths& paths, const store::WorkspaceRecord& record,
    plan::ActionKind kind, const std::string& target) {
  auto action = asked_of_workspace(kind, target);
  action.discards = changes_inside(context, paths, record);
  return action;
}

AskedPlan plan_of_loss(
    const Context& context, const store::WorkspacePaths& paths, const store::WorkspaceRecord& record,
    plan::ActionKind action, const std::string& target, const std::vector<std::string>& forgets,
    std::vector<plan::Action> first) {
  plan::Plan plan;
  auto loss = loss_action(context, paths, record, action, target);
  if (!first.empty()) {
    loss.after = {first.back().address};
  }
  plan.actions = std::move(first);
  plan.actions.push_back(std::move(loss));
  for (const auto& name : forgets) {
    auto forget = asked_of(plan::Subject::snapshot, name, plan::ActionKind::forget);
    forget.after = {"workspace"};
    plan.actions.push_back(std::move(forget));
  }
  plan.needs_approval = is_for_good(record, plan) || !forgets.empty();
  if (plan.needs_approval) {
    plan.approval_reasons.emplace_back(plan::name_of(action));
  }
  const auto undo = std::chrono::milliseconds(record.lifecycle.undo_ms);
  return asked_plan(
      record, std::move(plan), undo.count() > 0 && forgets.empty() ? format_duration(undo) : "");
}

bool is_for_good(const store::WorkspaceRecord& record, const plan::Plan& plan) {
  const auto* loss = plan.find("workspace");
  return record.lifecycle.undo_ms == 0 && loss != nullptr && !loss->discards.empty();
}

} // namespace pyro::workspace
