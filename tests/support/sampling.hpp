// Which of many cases one run tries: some in `make check`, all in `make check-long`.
#pragma once

#include <algorithm>
#include <cstddef>
#include <random>
#include <vector>

namespace pyro::testing {

/// True where PYRO_TEST_LONG is set: every case is tried, however long it takes.
bool all_cases();

/// PYRO_TEST_SEED, else one of the clock; printed, so that a failure can be tried again.
unsigned chosen_seed();

/// An environment variable's number, else `otherwise`.
int number_of(const char* variable, int otherwise);

/// `count` of them by chance, in their order; all of them where all_cases().
template <typename Case>
std::vector<Case> sampled(std::vector<Case> cases, std::size_t count) {
  if (all_cases() || cases.size() <= count) {
    return cases;
  }
  std::vector<Case> chosen;
  std::mt19937 dice(chosen_seed());
  std::sample(
      cases.begin(), cases.end(), std::back_inserter(chosen), static_cast<std::ptrdiff_t>(count), dice);
  return chosen;
}

} // namespace pyro::testing
