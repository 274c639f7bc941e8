#include "help.hpp"

#include "commands.hpp"
#include "style.hpp"

#include <pyro/base/error.hpp>
#include <pyro/operations/version.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace pyro::cli {

namespace {

constexpr std::string_view k_intro =
    R"(pyro keeps a workspace as pyro.yaml says: an environment, your files in it, services that run and are ready,
snapshots to go back to. Declare it, apply it, use it, throw it away.

First steps:
  pyro init                 write a first pyro.yaml for this directory
  pyro plan                 see what would be done, and why
  pyro apply                do it
  pyro exec -- make test    use it
  pyro diff                 what has changed inside
  pyro reset                back to the snapshot; `pyro undo` if that was too quick
)";

std::string flag_of(const Option& option) {
  return fmt::format(
      "{}{}{}{}", option.letter.empty() ? "    " : fmt::format("{}, ", option.letter), option.name,
      option.value.empty() ? "" : " ", option.value);
}

std::string help_of(const Option& option) {
  return option.choices.empty() ? std::string(option.help)
                                : fmt::format("{}: {}", option.help, option.choices);
}

std::string flag_table(std::span<const Option> options) {
  Table table("  ");
  for (const auto& option : options) {
    table.add({flag_of(option), help_of(option)});
  }
  return table.text();
}

/// For troff: a line that begins with . or ' would be a request, and \ starts an escape.
std::string troff(std::string_view text) {
  std::string result;
  for (const auto& line : lines_of(text)) {
    if (line.starts_with('.') || line.starts_with('\'')) {
      result += "\\&";
    }
    for (const char c : line) {
      result += c == '\\' ? std::string("\\e") : c == '-' ? std::string("\\-") : std::string(1, c);
    }
    result += "\n";
  }
  return result;
}

std::string troff_flags(std::span<const Option> options) {
  std::string text;
  for (const auto& option : options) {
    auto flag = flag_of(option);
    flag.erase(0, flag.find_first_not_of(' '));
    text += ".TP\n.B " + troff(flag) + troff(help_of(option));
  }
  return text;
}

using Line = std::pair<std::string, std::string>;

/// A command and its summary, or a family and its members.
std::vector<Line> lines_of_group(const Group& group) {
  std::vector<Line> lines;
  for (const auto* command : group.commands) {
    const auto space = command->name.rfind(' ');
    if (group.listed == Listed::each || space == std::string_view::npos) {
      lines.emplace_back(command->name, command->summary);
      continue;
    }
    const std::string family(command->name.substr(0, space));
    const std::string member(command->name.substr(space + 1));
    const auto known =
        std::find_if(lines.begin(), lines.end(), [&](const Line& line) { return line.first == family; });
    if (known == lines.end()) {
      lines.emplace_back(family, member);
    } else {
      known->second += ", " + member;
    }
  }
  return lines;
}

} // namespace

std::string usage_line(const Command& command) {
  std::string text = fmt::format("pyro {} [flags]", command.name);
  for (const auto& operand : command.operands) {
    text += operand.count == Count::one        ? fmt::format(" {}", operand.name)
            : operand.count == Count::optional ? fmt::format(" [{}]", operand.name)
                                               : fmt::format(" [{}...]", operand.name);
  }
  if (command.trailing == Trailing::program) {
    text += " -- COMMAND [ARGUMENT...]";
  }
  return text;
}

std::string overview() {
  std::string text = fmt::format("Usage: pyro COMMAND [flags]\n\n{}", k_intro);
  std::size_t width = 0;
  for (const auto& group : command_groups()) {
    for (const auto& line : lines_of_group(group)) {
      width = std::max(width, line.first.size());
    }
  }
  for (const auto& group : command_groups()) {
    text += fmt::format("\n{}:\n", group.title);
    for (const auto& [name, what] : lines_of_group(group)) {
      text += fmt::format("  {:<{}}  {}\n", name, width, what);
    }
  }
  return text
         + "\n`pyro COMMAND --help` explains a command and shows examples; so does `pyro workspace "
           "--help`.\n";
}

std::string group_help(std::string_view group) {
  Table table("  ");
  for (const auto* command : all_commands()) {
    if (command->name.starts_with(std::string(group) + " ")) {
      table.add({std::string(command->name), std::string(command->summary)});
    }
  }
  return fmt::format("Usage: pyro {} COMMAND [flags]\n\n{}", group, table.text());
}

std::string command_help(const Command& command) {
  std::string text =
      fmt::format("pyro {}: {}\n\nUsage: {}\n", command.name, command.summary, usage_line(command));
  if (!command.alias.empty()) {
    text += fmt::format("       also: pyro {}\n", command.alias);
  }
  if (!command.operands.empty()) {
    Table table("  ");
    for (const auto& operand : command.operands) {
      table.add({std::string(operand.name), std::string(operand.help)});
    }
    text += "\n" + table.text();
  }
  text += fmt::format("{}\n", command.page); // begins with a line end
  if (!command.options.empty()) {
    text += "Flags:\n" + flag_table(command.options) + "\n";
  }
  return text + "Common flags (--foo-bar is also PYRO_FOO_BAR in the environment):\n"
         + flag_table(common_options_of(command));
}

std::string manual_page(const Command* command) {
  const std::string name = command == nullptr ? "pyro" : fmt::format("pyro {}", command->name);
  std::string title = name;
  std::replace(title.begin(), title.end(), ' ', '-');
  std::string text = fmt::format(".TH {} 1 \"\" \"pyro {}\" \"pyro\"\n", title, operations::version());
  text +=
      ".SH NAME\n"
      + troff(fmt::format(
          "{} - {}", title, command == nullptr ? "declarative, disposable workspaces" : command->summary));
  text += ".SH SYNOPSIS\n" + troff(command == nullptr ? "pyro COMMAND [flags]" : usage_line(*command));
  text += ".SH DESCRIPTION\n.nf\n" + troff(command == nullptr ? k_intro : command->page) + ".fi\n";
  if (command == nullptr) {
    text += ".SH COMMANDS\n";
    for (const auto* one : all_commands()) {
      text += ".TP\n.B " + troff(one->name) + troff(one->summary);
    }
  } else if (!command->options.empty()) {
    text += ".SH FLAGS\n" + troff_flags(command->options);
  }
  const auto common = common_options();
  return text + ".SH COMMON FLAGS\n"
         + troff_flags(
             command == nullptr ? std::vector<Option>(common.begin(), common.end())
                                : common_options_of(*command));
}

} // namespace pyro::cli
