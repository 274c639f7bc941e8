#include "clock.hpp"

#include <cstdlib>

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

std::int64_t took(std::chrono::milliseconds began) {
  return (now_monotonic() - began).count();
}

} // namespace pyro::os
