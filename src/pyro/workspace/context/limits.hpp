// How large and how long-lived a sandbox that is made by hand may be. Pure.
#pragma once

#include <cstdint>

namespace pyro::workspace {

struct Bounds {
  std::int64_t least;
  std::int64_t most;
};

inline constexpr Bounds k_vcpu_bounds{1, 256};
inline constexpr Bounds k_mem_mib_bounds{128, 1 << 20};
inline constexpr Bounds k_ttl_seconds_bounds{60, 7 * 86'400};

/// What was asked for, and the defaults.
struct Size {
  std::int64_t vcpu_count = 1;
  std::int64_t mem_mib = 1024;
  std::int64_t ttl_seconds = 600;
};

/// Throws Error(invalid_argument) "vcpu_count must be between … and …" for the first value that is out.
void check_size(const Size& size);

} // namespace pyro::workspace
