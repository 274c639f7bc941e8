#include "restart_services.hpp"

#include "applier.hpp"
#include "argument_limits.hpp"
#include "host_ports.hpp"
#include "ready_ports.hpp"
#include "required_users.hpp"

#include <pyro/base/error.hpp>

namespace pyro::workspace {

namespace {

void require_ports(const Context& context, const spec::Spec& spec, const store::WorkspacePaths& paths) {
  const auto blocked = blocked_ports(context, spec, published_ports_if_any(paths));
  if (!blocked.empty()) {
    throw Error(ErrorCode::already_exists, "{}", blocked.front().why)
        .at(spec.place("services." + blocked.front().service + ".ports"))
        .with_hint("end what listens there, or publish another port");
  }
}

} // namespace

std::optional<PreparedStart> prepare_start(
    Context& context, const Located& located, const LockedWorkspace& workspace,
    const std::optional<store::LayerStack>& content) {
  if (!located.project) {
    return std::nullopt;
  }
  const auto& project = *located.project;
  PreparedStart prepared{
      project, resolve_service_inputs(project), secrets_of(context, project, workspace.record.id)};
  check_service_limits(project, prepared.resolved);
  prepared.secrets.read(secrets_at_run_time(project.spec));
  require_ports(context, project.spec, workspace.paths);
  if (content) {
    require_users(context, project.spec, context.backend_named(workspace.record.backend), *content);
  }
  return prepared;
}

Json restart_services(
    Context& context, const LoadedProject& project, const ResolvedInputs& resolved, ProjectSecrets& secrets,
    LockedWorkspace& workspace) {
  Json list = Json::array();
  if (project.spec.services.empty() && !spec::has_request_secrets(project.spec)) {
    return list;
  }
  PortsOfReadyServices ports(context, workspace, project.spec);
  for (const auto& status : start_services(
           context, project, resolved, secrets, workspace.paths.runtime(),
           {workspace.record.user, workspace.record.env}, true,
           [&](const std::string& service) { ports.publish(service); })) {
    list.push_back(protocol::to_json(status));
  }
  publish_workspace_ports(workspace, project.spec);
  context.records.save(workspace.record);
  return list;
}

Json restart_services(Context& context, std::optional<PreparedStart>& prepared, LockedWorkspace& workspace) {
  return prepared
             ? restart_services(context, prepared->project, prepared->resolved, prepared->secrets, workspace)
             : Json::array();
}

} // namespace pyro::workspace
