#include "bounded.hpp"

#include <pyro/base/error.hpp>

namespace pyro::protocol {

std::int64_t bounded(
    const Json& value, std::string_view key, std::int64_t otherwise, std::int64_t low, std::int64_t high) {
  const auto number = int_or(value, key, otherwise);
  if (number < low || number > high) {
    throw Error(ErrorCode::invalid_argument, "'{}' must be {} to {}, not {}", key, low, high, number);
  }
  return number;
}

std::int64_t milliseconds(const Json& value, std::string_view key, std::int64_t otherwise) {
  return bounded(value, key, otherwise, 0, k_max_milliseconds);
}

} // namespace pyro::protocol
