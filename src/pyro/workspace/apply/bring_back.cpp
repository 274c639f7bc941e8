#include "bring_back.hpp"

#include "applier.hpp"

namespace pyro::workspace {

Json bring_services_back(
    Context& context, const LoadedProject& project, const Measured& measured, LockedWorkspace& workspace) {
  Json list = Json::array();
  if (project.spec.services.empty()) {
    return list;
  }
  for (const auto& status : start_services(
           context, project, measured, workspace.paths.runtime(),
           {workspace.record.user, workspace.record.env}, true)) {
    list.push_back(protocol::to_json(status));
  }
  publish_workspace_ports(workspace, project.spec);
  context.records.save(workspace.record);
  return list;
}

Json bring_services_back(Context& context, const Located& located, LockedWorkspace& workspace) {
  return located.project
             ? bring_services_back(context, *located.project, measure_services(*located.project), workspace)
             : Json::array();
}

} // namespace pyro::workspace
