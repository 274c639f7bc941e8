// Help pages, made from the command table.
#pragma once

#include "command.hpp"

#include <string>

namespace pyro::cli {

/// `pyro --help`: what pyro is for, all commands in groups.
std::string overview();
/// `pyro snapshot --help`
std::string group_help(std::string_view group);
/// `pyro apply --help`
std::string command_help(const Command& command);
/// "pyro logs [flags] [SERVICE]"
std::string usage_line(const Command& command);
/// A manual page in troff: of one command, or of pyro for nullptr.
std::string manual_page(const Command* command);

} // namespace pyro::cli
