#include "operands.hpp"

#include "commands.hpp"

#include <pyro/base/error.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace pyro::cli {

namespace {

/// "--to NAME or --workspace NAME|ID": how a command is told names. Empty: it takes none.
std::string flags_for_names(const Command& command) {
  std::vector<std::string> flags;
  const auto add = [&](const Option& option) {
    if (option.value == "NAME" || option.value == "NAME|ID") {
      flags.push_back(fmt::format("{} {}", option.name, option.value));
    }
  };
  std::ranges::for_each(command.options, add);
  for (const auto& option : common_options()) {
    if (includes(command.takes, option.kind) && option.kind == Takes::workspace) {
      add(option);
    }
  }
  return fmt::format("{}", fmt::join(flags, " or "));
}

} // namespace

void check_operands(const Command& command, const std::vector<std::string>& given) {
  std::size_t most = 0;
  for (const auto& operand : command.operands) {
    if (operand.count == Count::one && given.size() <= most) {
      throw Error(ErrorCode::usage, "pyro {} needs {}", command.name, operand.name)
          .with_hint(fmt::format("pyro {} --help shows examples", command.name));
    }
    most = operand.count == Count::many ? given.size() : most + 1;
  }
  if (given.size() > most) {
    const auto flags = flags_for_names(command);
    throw Error(ErrorCode::usage, "pyro {} does not know what to do with '{}'", command.name, given[most])
        .with_hint(fmt::format(
            "{}pyro {} --help shows how it is used",
            flags.empty() ? "" : "a name is given by " + flags + "; ", command.name));
  }
}

} // namespace pyro::cli
