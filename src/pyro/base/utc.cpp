#include "utc.hpp"

#include <fmt/format.h>

#include <ctime>

namespace pyro {

std::string format_utc(std::chrono::system_clock::time_point time, Subseconds subseconds) {
  using std::chrono::milliseconds;
  const auto seconds = std::chrono::system_clock::to_time_t(time);
  const auto rest = std::chrono::duration_cast<milliseconds>(time.time_since_epoch()).count() % 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format(
      "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}Z", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
      parts.tm_hour, parts.tm_min, parts.tm_sec,
      subseconds == Subseconds::none ? std::string() : fmt::format(".{:03}", rest));
}

} // namespace pyro
