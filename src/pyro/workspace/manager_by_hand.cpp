// Workspaces made by hand: create, remove.
#include "apply_project.hpp"
#include "by_hand.hpp"
#include "manager.hpp"
#include "manager_state.hpp"

namespace pyro::workspace {

Json Manager::create(const CreateRequest& request) {
  auto& context = m_state->context;
  context.base.prepare();
  const auto project = project_for(context, request);
  const auto applied = apply_project(context, project, {}, false);
  return status(applied.workspace_id, {});
}

Json Manager::remove(const std::string& workspace) {
  ApplyOptions options;
  options.approve_all = true;
  return destroy(workspace, {}, options, true);
}

} // namespace pyro::workspace
