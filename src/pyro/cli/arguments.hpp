// From words to a command and its arguments. The command's name is found first, so only the parser of that
// one command is ever built (CLI11, in arguments.cpp only).
#pragma once

#include "command.hpp"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace pyro::cli {

/// Reads a variable of our environment; tests bring their own.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

class Arguments {
public:
  /// A switch: was it given (and not as --name=false)? A value: was there one? Names without dashes: "yes".
  bool has(std::string_view name) const;
  /// The same, and on the command line: a variable speaks to every command, also to those that it means
  /// nothing to.
  bool is_on_the_line(std::string_view name) const;
  std::string value(std::string_view name, std::string_view otherwise = "") const;
  std::vector<std::string> values(std::string_view name) const;

  std::vector<std::string> operands;
  std::vector<std::string> program; // of exec: what follows "--"

  enum class From { line, variable };

  void set(const std::string& name, std::vector<std::string> values, From from);
  void set_switch(const std::string& name, bool is_on, From from);
  /// Was it said, as a switch also that it is off?
  bool is_set(std::string_view name) const;

private:
  std::map<std::string, std::vector<std::string>, std::less<>> m_values;
  std::map<std::string, bool, std::less<>> m_switches;
  std::set<std::string, std::less<>> m_on_the_line;
};

struct CommandLine {
  const Command* command = nullptr; // nullptr: overview, see below
  std::string group;                // "snapshot" alone: help for a group
  bool help = false;
  bool version = false;
  Arguments arguments;
};

/// Throws Error(usage) with the nearest name for what is not known.
CommandLine parse_command_line(const std::vector<std::string>& words, const Environment& environment);

/// Does the command itself define this flag, whether there is a common one or not?
bool has_own(const Command& command, std::string_view name);

/// "PYRO_LOCK_TIMEOUT" of "--lock-timeout": every flag that takes one value, or none, can be set there.
std::string variable_of(const Option& option);

} // namespace pyro::cli
