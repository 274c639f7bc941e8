// What is told when services do not become ready: whose fault it is, before whom it hit.
#pragma once

#include <pyro/base/error.hpp>
#include <pyro/protocol/service_requests.hpp>
#include <pyro/spec/spec.hpp>

#include <string>
#include <vector>

namespace pyro::workspace {

/// Error(not_ready) at the place of the culprit, with its last log lines, and all others that failed below:
/// those that failed by themselves first, then those that were not in time, then those that were not started.
class ServicesNotReady : public Error {
public:
  ServicesNotReady(const spec::Spec& spec, const std::vector<protocol::ServiceStatus>& services);

  /// Empty: nobody is known.
  const std::string& culprit() const { return m_culprit; }

private:
  std::string m_culprit;
};

} // namespace pyro::workspace
