#include "ready_ports.hpp"

#include <pyro/base/error.hpp>

namespace pyro::workspace {

PortsOfReadyServices::PortsOfReadyServices(
    const Context& context, LockedWorkspace& workspace, const spec::Spec& spec)
    : m_context(context), m_workspace(workspace), m_spec(spec) {
  const auto client = backend::ControlClient::connect(workspace.paths.control_socket());
  const auto status = client ? client->call("/status", Json::object()) : Json::object();
  for (const auto& port : status.value("ports", Json::array())) {
    m_published.insert(get_string(port, "service"));
  }
}

void PortsOfReadyServices::publish(const std::string& service) {
  const auto found = m_spec.services.find(service);
  if (found == m_spec.services.end() || found->second.ports.empty() || !m_published.insert(service).second) {
    return;
  }
  try {
    const auto client = connect_sandbox(m_workspace.paths.runtime(), "ports");
    publish_ports(*client, m_spec, m_workspace.record.ports, [this](const std::string& name) {
      return m_published.contains(name);
    });
    m_context.records.save(m_workspace.record);
  } catch (const Error& error) { // the wait for the others goes on; at its end it is tried again, and told
    m_published.erase(service);
    m_context.emit("note", "services." + service, error.message());
  }
}

} // namespace pyro::workspace
