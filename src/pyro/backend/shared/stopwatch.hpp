// How long the steps of a start took.
#pragma once

#include <pyro/base/json_access.hpp>

#include <chrono>
#include <string>

namespace pyro::backend {

class Stopwatch {
public:
  /// Writes into `timings`: step → microseconds since now.
  explicit Stopwatch(Json& timings) : m_timings(timings), m_start(std::chrono::steady_clock::now()) {}

  void lap(const std::string& step) {
    m_timings[step] =
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - m_start)
            .count();
  }

private:
  Json& m_timings;
  std::chrono::steady_clock::time_point m_start;
};

} // namespace pyro::backend
