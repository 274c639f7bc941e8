// What reset and destroy would do, as a plan: in the same form, and asked about in the same way, as that of
// apply.
#pragma once

#include <pyro/base/json_access.hpp>
#include <pyro/plan/plan.hpp>
#include <pyro/store/workspace_record.hpp>
#include <pyro/workspace/state/find_and_lock.hpp>

#include <string>
#include <vector>

namespace pyro::workspace {

struct LossPlan {
  plan::Plan plan;
  std::string text;
  Json document;
};

/// `action`: reset or destroy, with its target or ""; `forgets`: snapshots that go with it. Every file that
/// was changed inside is named, whatever the file leaves out of its reports.
LossPlan plan_of_loss(
    const Context& context, const store::WorkspacePaths& paths, const store::WorkspaceRecord& record,
    plan::ActionKind action, const std::string& target, const std::vector<std::string>& forgets);

/// Is there anything that nobody could bring back afterwards?
bool is_for_good(const store::WorkspaceRecord& record, const LossPlan& loss);

/// The result of a call that only says what it would do.
Json not_done(const store::WorkspaceRecord& record, const LossPlan& loss);

} // namespace pyro::workspace
