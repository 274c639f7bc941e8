#include "settings_json.hpp"

namespace pyro::launcher {

Json settings_to_json(const operations::CallSettings& settings) {
  return {
      {"base", settings.base},
      {"trust_once", settings.trust_once},
      {"lock_timeout_ms", settings.lock_timeout.count()}};
}

operations::CallSettings settings_from_json(const Json& value) {
  return {
      get_string(value, "base"), get_bool(value, "trust_once"),
      std::chrono::milliseconds(get_int(value, "lock_timeout_ms"))};
}

} // namespace pyro::launcher
