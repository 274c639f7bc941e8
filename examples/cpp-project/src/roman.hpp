// Roman numerals of 1 to 3999.
#pragma once

#include <string>

/// Throws std::out_of_range for what Romans could not write.
std::string to_roman(int number);
