#include "host_backend.hpp"

#include <pyro/backend/shared/start_supervisor.hpp>

namespace pyro::backend::host {

namespace {

class HostBackend : public Backend {
public:
  explicit HostBackend(std::string supervisor_path) : m_supervisor_path(std::move(supervisor_path)) {}

  std::string name() const override { return "host"; }

  Isolation isolation() const override { return Isolation::host; }

  std::string execution_mode() const override { return "host_compat"; }

  std::vector<Check> probe() const override {
    return {
        {"host", "note",
         "commands could be run without isolation, as processes of this machine; resources.disk is not held "
         "there",
         "only with --allow-host-compat"}};
  }

  Capabilities capabilities() const override {
    Capabilities capabilities;
    capabilities.egress = true;
    capabilities.own_root = false;
    return capabilities;
  }

  Launched start(const LaunchSpec& given) const override {
    auto spec = given;
    spec.kind = LaunchKind::host;
    return start_supervisor(m_supervisor_path, spec);
  }

private:
  std::string m_supervisor_path;
};

} // namespace

std::unique_ptr<Backend> make_backend(std::string supervisor_path) {
  return std::make_unique<HostBackend>(std::move(supervisor_path));
}

} // namespace pyro::backend::host
