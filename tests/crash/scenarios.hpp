// The operations that faults are tried on.
#pragma once

#include "world.hpp"

#include <functional>
#include <string>
#include <vector>

namespace pyro::testing {

struct Scenario {
  std::string name;
  std::function<void(World&)> prepare;
  std::function<Arguments(World&)> command;
  bool repeatable = true;  // succeeds once more after it was done
  bool one_by_one = false; // makes several things, each for itself
};

std::vector<Scenario> scenarios();

inline void PrintTo(const Scenario& scenario, std::ostream* out) {
  *out << scenario.name;
}

} // namespace pyro::testing
