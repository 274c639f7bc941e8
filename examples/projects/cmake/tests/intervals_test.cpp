#include "intervals.hpp"

#include <iostream>

namespace {

int failures = 0;

void expect(bool holds, const char* what) {
  if (!holds) {
    std::cout << "not so: " << what << '\n';
    ++failures;
  }
}

} // namespace

int main() {
  Intervals numbers;
  numbers.add(10, 20);
  numbers.add(30, 40);
  expect(numbers.count() == 2, "two apart stay two");
  expect(numbers.contains(10) && !numbers.contains(20), "the end is not in it");
  numbers.add(20, 30);
  expect(numbers.count() == 1 && numbers.contains(25), "what fills the gap joins them");
  numbers.add(5, 5);
  expect(!numbers.contains(5), "an empty one adds nothing");
  numbers.add(0, 100);
  expect(numbers.count() == 1 && numbers.contains(99), "one around all of them takes them in");
  return failures;
}
