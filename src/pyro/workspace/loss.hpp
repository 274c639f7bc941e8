// What reset and destroy would do, as a plan: in the same form, and asked about in the same way, as that of
// apply.
#pragma once

#include "asked_plan.hpp"

#include <pyro/store/workspace_record.hpp>
#include <pyro/workspace/state/find_and_lock.hpp>

#include <string>
#include <vector>

namespace pyro::workspace {

/// Of the workspace, with every file that was changed inside, whatever the file leaves out of its reports.
plan::Action loss_action(
    const Context& context, const store::WorkspacePaths& paths, const store::WorkspaceRecord& record,
    plan::ActionKind kind, const std::string& target);

/// `action`: reset or destroy, with its target or ""; `forgets`: snapshots that go with it; `first`:
/// what is made before it.
AskedPlan plan_of_loss(
    const Context& context, const store::WorkspacePaths& paths, const store::WorkspaceRecord& record,
    plan::ActionKind action, const std::string& target, const std::vector<std::string>& forgets,
    std::vector<plan::Action> first = {});

/// Is there anything that nobody could bring back afterwards?
bool is_for_good(const store::WorkspaceRecord& record, const plan::Plan& loss);

} // namespace pyro::workspace
