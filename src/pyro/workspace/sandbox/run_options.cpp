#include "run_options.hpp"

#include <pyro/spec/spec.hpp>

namespace pyro::workspace {

RunOptions run_options_of(const store::WorkspaceRecord& record) {
  RunOptions options;
  const auto& limits = record.limits;
  options.limits.cpus = limits.vcpu_count;
  options.limits.memory_bytes = static_cast<std::int64_t>(limits.mem_mib) << 20;
  options.limits.pids = limits.pids;
  options.limits.disk_bytes =
      limits.disk_bytes > 0 ? limits.disk_bytes : static_cast<std::int64_t>(spec::Resources{}.disk);
  options.egress = record.egress != "none";
  return options;
}

} // namespace pyro::workspace
