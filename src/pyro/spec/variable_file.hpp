// Values of declared variables in a file of their own (--var-file): a YAML map of NAME: value.
#pragma once

#include "parse.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pyro::spec {

struct VariableValue {
  std::string name;
  std::string value; // as it is written; the variable's type is checked where it is declared
  Position place;
};

/// `file` names it in places. Error(invalid_file) with every diagnostic.
std::vector<VariableValue> read_variable_file(std::string_view text, const std::string& file);

} // namespace pyro::spec
