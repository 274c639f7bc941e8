// Ports that are published while services are still being waited for.
#pragma once

#include <pyro/workspace/sandbox/guest_services.hpp>
#include <pyro/workspace/state/find_and_lock.hpp>

#include <set>
#include <string>

namespace pyro::workspace {

/// Publishes the ports of each service that it is told of, beside those that are published already, and saves
/// the record: what is ready can be reached, whatever becomes of the others.
class PortsOfReadyServices {
public:
  PortsOfReadyServices(const Context& context, LockedWorkspace& workspace, const spec::Spec& spec);
  void publish(const std::string& service);

private:
  const Context& m_context;
  LockedWorkspace& m_workspace;
  const spec::Spec& m_spec;
  std::set<std::string> m_published; // services
};

} // namespace pyro::workspace
