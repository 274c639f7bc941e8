#include "roman.hpp"

#include <iostream>
#include <stdexcept>

namespace {

int g_failures = 0;

void check(int number, const std::string& expected) {
  if (const auto text = to_roman(number); text != expected) {
    std::cerr << number << ": " << text << ", expected " << expected << '\n';
    ++g_failures;
  }
}

void check_refused(int number) {
  try {
    std::cerr << number << " gave " << to_roman(number) << ", expected an error\n";
    ++g_failures;
  } catch (const std::out_of_range&) {
  }
}

} // namespace

int main() {
  check(1, "I");
  check(4, "IV");
  check(1994, "MCMXCIV");
  check(3999, "MMMCMXCIX");
  check_refused(0);
  check_refused(4000);
  return g_failures == 0 ? 0 : 1;
}
