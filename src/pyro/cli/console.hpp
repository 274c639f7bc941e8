// Where the command line writes to and reads from: our own descriptors in the program, strings in tests.
#pragma once

#include "arguments.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace pyro::cli {

struct Console {
  std::function<void(std::string_view)> out;
  std::function<void(std::string_view)> err;
  std::function<std::optional<std::string>()> read_line; // an answer; nullopt at the end of input
  Environment environment;
  std::map<std::string, std::string> variables; // all PYRO_VAR_<name>, by name
  bool in_terminal = false;
  bool out_terminal = false;
  bool err_terminal = false;
  std::function<int()> columns; // of the terminal that progress goes to
  std::function<int()> rows;    // of the terminal that results go to
};

/// Descriptors 0, 1 and 2 and the variables of this process.
Console process_console();

} // namespace pyro::cli
