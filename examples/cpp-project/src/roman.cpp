#include "roman.hpp"

#include <array>
#include <stdexcept>
#include <utility>

std::string to_roman(int number) {
  if (number < 1 || number > 3999) {
    throw std::out_of_range("roman numerals go from 1 to 3999");
  }
  static constexpr std::array<std::pair<int, const char*>, 13> k_signs{
      {{1000, "M"},
       {900, "CM"},
       {500, "D"},
       {400, "CD"},
       {100, "C"},
       {90, "XC"},
       {50, "L"},
       {40, "XL"},
       {10, "X"},
       {9, "IX"},
       {5, "V"},
       {4, "IV"},
       {1, "I"}}};
  std::string text;
  for (const auto& [value, sign] : k_signs) {
    while (number >= value) {
      text += sign;
      number -= value;
    }
  }
  return text;
}
