#include "sampling.hpp"

#include <cstdlib>
#include <iostream>

namespace pyro::testing {

bool all_cases() {
  return number_of("PYRO_TEST_LONG", 0) != 0;
}

unsigned chosen_seed() {
  const auto seed = static_cast<unsigned>(
      number_of("PYRO_TEST_SEED", static_cast<int>(std::random_device{}() & 0x7fffffff)));
  std::cout << "seed " << seed << " (PYRO_TEST_SEED)" << std::endl;
  return seed;
}

int number_of(const char* variable, int otherwise) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0' ? std::atoi(value) : otherwise;
}

} // namespace pyro::testing
