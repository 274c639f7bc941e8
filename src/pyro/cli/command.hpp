// What a command is: data (name, flags, help) plus one function. Parsing, help, completion and the manual
// page are all made from it, so they cannot disagree. The list of all commands is in commands.hpp.
#pragma once

#include <span>
#include <string_view>

namespace pyro::cli {

class Session;

enum class Repeat { no, yes };

struct Option {
  std::string_view name;        // "--workspace"
  std::string_view letter = {}; // "-w"
  std::string_view value = {};  // "NAME"; empty: a switch
  std::string_view help = {};
  std::string_view choices = {}; // "text|json"; empty: anything
  Repeat repeat = Repeat::no;
};

enum class Count { optional, one, many }; // many: none is fine as well

struct Operand {
  std::string_view name; // "SERVICE"
  Count count = Count::optional;
  std::string_view help = {};
};

/// Which exit status pyro's own failure gets (spec-v1 B.3).
enum class Failures {
  by_code, // as the error's code says
  exec,    // 125, so that it is not taken for the command's own status
  compare, // never 1, which says "differs" under --exit-code
};

/// What may follow the flags.
enum class Trailing { operands, program };

struct Command {
  std::string_view name; // "apply", "snapshot save"
  std::string_view summary;
  std::string_view page; // the rest of the help: what it is for, examples
  int (*run)(Session&);
  std::span<const Option> options = {};
  std::span<const Operand> operands = {};
  std::string_view alias = {}; // a second name, e.g. "snapshot list"
  Trailing trailing = Trailing::operands;
  Failures failures = Failures::by_code;
};

/// Understood by every command, before and after its name.
std::span<const Option> common_options();

} // namespace pyro::cli
