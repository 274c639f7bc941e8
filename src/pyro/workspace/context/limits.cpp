#include "limits.hpp"

#include <pyro/base/error.hpp>

namespace pyro::workspace {

namespace {

void check(std::string_view name, std::int64_t value, Bounds bounds) {
  if (value < bounds.least || value > bounds.most) {
    throw Error(
        ErrorCode::invalid_argument, "{} must be between {} and {}, not {}", name, bounds.least, bounds.most,
        value);
  }
}

} // namespace

void check_size(const Size& size) {
  check("vcpu_count", size.vcpu_count, k_vcpu_bounds);
  check("mem_mib", size.mem_mib, k_mem_mib_bounds);
  check("ttl_seconds", size.ttl_seconds, k_ttl_seconds_bounds);
}

} // namespace pyro::workspace
