// Moments as text for machines.
#pragma once

#include <chrono>
#include <string>

namespace pyro {

enum class Subseconds { none, milliseconds };

/// ISO 8601: "2026-11-20T12:46:00Z", "2026-11-20T12:46:00.125Z".
std::string format_utc(std::chrono::system_clock::time_point time, Subseconds subseconds = Subseconds::none);

} // namespace pyro
