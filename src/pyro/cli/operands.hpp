// The words of a command line that belong to no flag.
#pragma once

#include "command.hpp"

#include <string>
#include <vector>

namespace pyro::cli {

/// Throws Error(usage) where the command needs more of them or has no use for one.
void check_operands(const Command& command, const std::vector<std::string>& given);

} // namespace pyro::cli
