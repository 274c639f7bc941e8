#include "settings_json.hpp"

namespace pyro::launcher {

Json settings_to_json(const operations::CallSettings& settings) {
  return {
      {"base", settings.base},
      {"trust_once", settings.trust_once},
      {"lock_timeout_ms", settings.lock_timeout.count()},
      {"directory", settings.directory},
      {"stream_output", settings.stream_output}};
}

operations::CallSettings settings_from_json(const Json& value) {
  return {
      .base = get_string(value, "base"),
      .trust_once = get_bool(value, "trust_once"),
      .lock_timeout = std::chrono::milliseconds(get_int(value, "lock_timeout_ms")),
      .directory = get_string(value, "directory"),
      .stream_output = get_bool(value, "stream_output")};
}

} // namespace pyro::launcher
