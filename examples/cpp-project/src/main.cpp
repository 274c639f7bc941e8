#include "roman.hpp"

#include <cstdlib>
#include <exception>
#include <iostream>

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: to_roman NUMBER\n";
    return 64;
  }
  try {
    std::cout << to_roman(std::atoi(argv[1])) << '\n';
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "to_roman: " << error.what() << '\n';
    return 1;
  }
}
