// What a command is: data (name, flags, help) plus one function. Parsing, help, completion and the manual
// page are all made from it, so they cannot disagree. The list of all commands is in commands.hpp.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace pyro::cli {

class Session;

enum class Repeat { no, yes };

/// What the common flags choose: a command refuses those that it has no use for.
enum class Takes : unsigned {
  nothing = 0,
  directory = 1, // --directory
  file = 2,      // --file
  values = 4,    // --profile, --var: how the file is read
  workspace = 8, // --workspace
  document = 16, // --output, --json
};

constexpr Takes operator|(Takes left, Takes right) {
  return static_cast<Takes>(static_cast<unsigned>(left) | static_cast<unsigned>(right));
}

constexpr bool includes(Takes all, Takes some) {
  return (static_cast<unsigned>(all) & static_cast<unsigned>(some)) == static_cast<unsigned>(some);
}

/// What reads a pyro.yaml that is there.
inline constexpr Takes k_takes_file = Takes::directory | Takes::file | Takes::values | Takes::document;
/// What is about one workspace: that of a pyro.yaml, or another.
inline constexpr Takes k_takes_workspace = k_takes_file | Takes::workspace;

struct Option {
  std::string_view name;        // "--workspace"
  std::string_view letter = {}; // "-w"
  std::string_view value = {};  // "NAME"; empty: a switch
  std::string_view help = {};
  std::string_view choices = {}; // "text|json"; empty: anything
  Repeat repeat = Repeat::no;
  Takes kind = Takes::nothing; // of a common flag: who understands it; nothing: every command
};

/// What --output of a command can be, if that is not for all: --help and completion say so.
inline constexpr std::string_view k_usual_forms = "text|json|jsonl|github";

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
  Takes takes = k_takes_workspace;
  std::string_view forms = k_usual_forms;
};

/// The flags that mean the same for all commands, before and after a command's name.
std::span<const Option> common_options();
/// Those that the command understands and does not define itself.
std::vector<Option> common_options_of(const Command& command);

} // namespace pyro::cli
