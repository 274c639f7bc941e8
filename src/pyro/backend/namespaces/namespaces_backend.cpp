#include "namespaces_backend.hpp"

#include "probe.hpp"

#include <pyro/backend/shared/start_supervisor.hpp>

namespace pyro::backend::namespaces {

namespace {

class NamespacesBackend : public Backend {
public:
  NamespacesBackend(std::string supervisor_path, std::string staging)
      : m_supervisor_path(std::move(supervisor_path)), m_staging(std::move(staging)) {}

  std::string name() const override { return "namespaces"; }

  Isolation isolation() const override { return Isolation::sandbox; }

  std::string execution_mode() const override { return "sandbox"; }

  std::vector<Check> probe() const override { return probe_machine(m_staging); }

  Capabilities capabilities() const override {
    Capabilities capabilities;
    capabilities.egress = can_connect_to_network();
    capabilities.egress_filter = true;
    capabilities.live_mounts = true;
    return capabilities;
  }

  Launched start(const LaunchSpec& spec) const override { return start_supervisor(m_supervisor_path, spec); }

private:
  std::string m_supervisor_path;
  std::string m_staging;
};

} // namespace

std::unique_ptr<Backend> make_backend(std::string supervisor_path, std::string staging) {
  return std::make_unique<NamespacesBackend>(std::move(supervisor_path), std::move(staging));
}

} // namespace pyro::backend::namespaces
