#include "launch_limits.hpp"

#include <pyro/spec/spec.hpp>

namespace pyro::workspace {

backend::Limits launch_limits(const store::WorkspaceRecord& record) {
  const auto& limits = record.limits;
  const auto disk =
      limits.disk_bytes > 0 ? limits.disk_bytes : static_cast<std::int64_t>(spec::Resources{}.disk);
  return {limits.vcpu_count, static_cast<std::int64_t>(limits.mem_mib) << 20, limits.pids, disk};
}

} // namespace pyro::workspace
