// Wall clock for records and monotonic clock for waiting.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace pyro::os {

/// Seconds since the epoch, with fraction. In test builds PYRO_CLOCK_OFFSET shifts it by so many seconds, as
/// a clock that jumps does.
double now_epoch();
std::chrono::milliseconds now_monotonic();
/// Milliseconds since then.
std::int64_t took(std::chrono::milliseconds began);

} // namespace pyro::os
