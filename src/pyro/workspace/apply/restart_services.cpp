#include "restart_services.hpp"

#include "applier.hpp"
#include "ready_ports.hpp"

namespace pyro::workspace {

Json restart_services(
    Context& context, const LoadedProject& project, const ResolvedInputs& resolved,
    LockedWorkspace& workspace) {
  Json list = Json::array();
  if (project.spec.services.empty()) {
    return list;
  }
  PortsOfReadyServices ports(context, workspace, project.spec);
  for (const auto& status : start_services(
           context, project, resolved, workspace.paths.runtime(),
           {workspace.record.user, workspace.record.env}, true,
           [&](const std::string& service) { ports.publish(service); })) {
    list.push_back(protocol::to_json(status));
  }
  publish_workspace_ports(workspace, project.spec);
  context.records.save(workspace.record);
  return list;
}

Json restart_services(Context& context, const Located& located, LockedWorkspace& workspace) {
  return located.project ? restart_services(
             context, *located.project, resolve_service_inputs(*located.project), workspace)
                         : Json::array();
}

} // namespace pyro::workspace
