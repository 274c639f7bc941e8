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
  bool in_steps = false;   // snapshots come after the content: killed in between the next one goes on
  std::map<std::string, std::string> env = {};
  bool toggles = false; // takes itself back when it is done once more
};

std::vector<Scenario> scenarios();

inline void PrintTo(const Scenario& scenario, std::ostream* out) {
  *out << scenario.name;
}

} // namespace pyro::testing
