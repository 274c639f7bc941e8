// What a single verb (stop, undo, fork, …) would do, as a plan in the form of apply's: for --dry-run. What
// reset and destroy would lose is loss.hpp's.
#pragma once

#include <pyro/base/json_access.hpp>
#include <pyro/plan/plan.hpp>
#include <pyro/store/workspace_record.hpp>
#include <pyro/workspace/state/locate.hpp>

#include <string>
#include <vector>

namespace pyro::workspace {

struct AskedPlan {
  plan::Plan plan;
  std::string text;
  Json document;
};

/// Of the workspace itself, because somebody wants it.
plan::Action asked_of_workspace(plan::ActionKind kind, const std::string& target = "");
/// Of a service or a snapshot.
plan::Action asked_of(plan::Subject subject, const std::string& name, plan::ActionKind kind);

/// What is started with the workspace: the declared services.
std::vector<plan::Action> start_of_services(const Located& located);

/// Those of the plan that need a yes, and how long an undo is kept ("24h"; empty: there is none), are said in
/// its text.
AskedPlan asked_plan(const store::WorkspaceRecord& record, plan::Plan plan, const std::string& undo);

/// The result of a call that only says what it would do.
Json not_done(const store::WorkspaceRecord& record, const AskedPlan& asked);
Json not_done(const store::WorkspaceRecord& record, std::vector<plan::Action> actions);

} // namespace pyro::workspace
