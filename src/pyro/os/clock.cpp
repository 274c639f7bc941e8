#include "clock.hpp"

#include <array>
#include <cstdlib>
#include <ctime>

namespace pyro::os {

namespace {

double offset() {
#ifdef PYRO_CRASH_POINTS
  const char* text = std::getenv("PYRO_CLOCK_OFFSET");
  return text != nullptr ? std::atof(text) : 0;
#else
  return 0;
#endif
}

} // namespace

double now_epoch() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count()
         + offset();
}

std::chrono::milliseconds now_monotonic() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now().time_since_epoch());
}

std::string format_utc(double epoch_seconds) {
  const auto seconds = static_cast<std::time_t>(epoch_seconds);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const auto length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text.data(), length};
}

} // namespace pyro::os
