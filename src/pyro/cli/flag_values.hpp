// What a value of a flag must be, whichever command it is for, on the command line or in a variable.
#pragma once

#include "command.hpp"

#include <string>

namespace pyro::cli {

/// What the value is called says what it must be. Throws Error(usage) naming `where`.
void check_value(const Option& option, const std::string& where, const std::string& value);

/// true, 1, yes, on. Throws Error(usage) for what is neither a yes nor a no.
bool is_yes(const std::string& variable, const std::string& value);

} // namespace pyro::cli
