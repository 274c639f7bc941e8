// Wall clock for records and monotonic clock for waiting.
#pragma once

#include <chrono>
#include <string>

namespace pyro::os {

/// Seconds since the epoch, with fraction. In test builds PYRO_CLOCK_OFFSET shifts it by so many seconds, as
/// a clock that jumps does.
double now_epoch();
std::chrono::milliseconds now_monotonic();

} // namespace pyro::os
