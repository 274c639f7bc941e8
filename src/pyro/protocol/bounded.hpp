// Numbers of a message, within bounds. For other fields see base/json_access.hpp.
#pragma once

#include <pyro/base/json_access.hpp>

namespace pyro::protocol {

inline constexpr std::int64_t k_max_milliseconds = 1000LL * 3600 * 24 * 365;

/// Absent gives `otherwise`; below `low` or above `high` throws Error(invalid_argument) that names the key.
std::int64_t
bounded(const Json& value, std::string_view key, std::int64_t otherwise, std::int64_t low, std::int64_t high);

/// A length of time of up to a year.
std::int64_t milliseconds(const Json& value, std::string_view key, std::int64_t otherwise);

} // namespace pyro::protocol
