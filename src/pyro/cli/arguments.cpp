#include "arguments.hpp"

#include "commands.hpp"
#include "flag_values.hpp"
#include "help.hpp"
#include "operands.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/safe_text.hpp>
#include <pyro/operations/text.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cctype>

namespace pyro::cli {

namespace {

using Words = std::vector<std::string>;

/// The command's own flags, then the common ones; a letter of the command (-f of logs) hides the common one,
/// and so does a name (--output of export).
std::vector<Option> options_for(const Command* command) {
  std::vector<Option> all;
  if (command != nullptr) {
    all.assign(command->options.begin(), command->options.end());
  }
  const auto own = all.size();
  const auto everybodys = common_options();
  for (auto option : command != nullptr ? common_options_of(*command)
                                        : std::vector<Option>(everybodys.begin(), everybodys.end())) {
    for (std::size_t i = 0; i < own; ++i) {
      if (all[i].letter == option.letter) {
        option.letter = {};
      }
    }
    all.push_back(option);
  }
  return all;
}

bool is_option(const std::string& word) {
  return word.size() > 1 && word[0] == '-' && word != "--";
}

const Option* find_letter(char letter, const std::vector<Option>& options) {
  for (const auto& option : options) {
    if (option.letter.size() == 2 && option.letter[1] == letter) {
      return &option;
    }
  }
  return nullptr;
}

/// Does the next word belong to this one? "--user", "-u" and "-itu" do, "--user=x" and "-ux" do not.
bool takes_next(const std::string& word, const std::vector<Option>& options) {
  if (word.starts_with("--")) {
    return std::any_of(options.begin(), options.end(), [&](const Option& option) {
      return word == option.name && !option.value.empty();
    });
  }
  for (std::size_t i = 1; i < word.size(); ++i) {
    const auto* option = find_letter(word[i], options);
    if (option == nullptr || !option->value.empty()) {
      return option != nullptr && i + 1 == word.size();
    }
  }
  return false;
}

/// Moves leading options (with their values) from `words` at `at` to `taken`.
std::size_t
skip_options(const Words& words, std::size_t at, const std::vector<Option>& options, Words& taken) {
  while (at < words.size() && is_option(words[at])) {
    const bool two = takes_next(words[at], options);
    taken.push_back(words[at++]);
    if (two && at < words.size()) {
      taken.push_back(words[at++]);
    }
  }
  return at;
}

/// Before the command's name letters mean the common flags; spelled out, so that the command's own cannot
/// hide them.
void spell_out(Words& words) {
  const auto options = options_for(nullptr);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool two = takes_next(words[i], options);
    const auto* option = words[i].starts_with("--") ? nullptr : find_letter(words[i][1], options);
    if (option != nullptr && (words[i].size() == 2 || !option->value.empty())) {
      words[i] = words[i].size() == 2 ? std::string(option->name)
                                      : fmt::format("{}={}", option->name, words[i].substr(2));
    }
    i += two ? 1 : 0;
  }
}

[[noreturn]] void unknown_command(const std::string& name, const std::string& prefix) {
  std::vector<std::string> names;
  for (const auto* command : all_commands()) {
    for (const auto known : {command->name, command->alias}) {
      if (known.starts_with(prefix)) {
        names.emplace_back(known);
      }
    }
    if (const auto space = command->name.find(' '); prefix.empty() && space != std::string_view::npos) {
      names.emplace_back(command->name.substr(0, space));
    }
  }
  const auto near = operations::nearest(prefix + name, names);
  Error error(ErrorCode::usage, "there is no command '{}{}'", prefix, name);
  error.with_hint(
      near.empty() ? fmt::format("pyro {}--help lists the commands", prefix)
                   : fmt::format("did you mean 'pyro {}'?", near));
  throw error;
}

/// Why the command has no use for a common flag.
std::string why_without(const Command& command, Takes kind) {
  if (kind == Takes::document) {
    return "it prints no document";
  }
  if (!command.operands.empty() && includes(Takes::workspace | k_takes_file, kind)) {
    return fmt::format("what it is about is said by its words: {}", usage_line(command));
  }
  return kind == Takes::workspace ? "it is not about one workspace" : "it reads no pyro.yaml";
}

void refuse_useless_flag(const std::string& word, const std::string& name, const Command& command) {
  for (const auto& option : common_options()) {
    const bool is_letter =
        !option.letter.empty() && !word.starts_with("--") && word.starts_with(option.letter);
    if (option.name == name || is_letter) {
      throw Error(ErrorCode::usage, "{} means nothing to pyro {}", option.name, command.name)
          .with_hint(why_without(command, option.kind));
    }
  }
}

[[noreturn]] void
unknown_flag(const std::string& word, const Command& command, const std::vector<Option>& options) {
  refuse_useless_flag(word, word.substr(0, word.find('=')), command);
  std::vector<std::string> names;
  for (const auto& option : options) {
    names.emplace_back(option.name);
  }
  const auto name = word.substr(0, word.find('='));
  const auto near = word.starts_with("--") ? operations::nearest(name, names) : "";
  Error error(ErrorCode::usage, "pyro {} has no flag '{}'", command.name, name);
  error.with_hint(
      near.empty() ? fmt::format("pyro {} --help lists its flags", command.name)
                   : fmt::format("did you mean '{}'?", near));
  throw error;
}

std::string without_dashes(std::string_view name) {
  return std::string(name.substr(name.find_first_not_of('-')));
}

/// CLI11 reads the flags; what it leaves over is for us.
void read_options(const Command& command, const Words& words, Arguments& arguments) {
  const auto options = options_for(&command);
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  std::vector<std::pair<const Option*, CLI::Option*>> known;
  for (const auto& option : options) {
    const auto names =
        option.letter.empty() ? std::string(option.name) : fmt::format("{},{}", option.letter, option.name);
    auto* one = option.value.empty() ? app.add_flag(names) : app.add_option(names);
    if (!option.value.empty()) {
      one->expected(1)->allow_extra_args(false);
      one->multi_option_policy(
          option.repeat == Repeat::yes ? CLI::MultiOptionPolicy::TakeAll : CLI::MultiOptionPolicy::TakeLast);
    }
    known.emplace_back(&option, one);
  }
  try {
    Words reversed(words.rbegin(), words.rend());
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    throw Error(ErrorCode::usage, "pyro {}: {}", command.name, error.what())
        .with_hint(fmt::format("pyro {} --help", command.name));
  }
  for (const auto& word : app.remaining()) {
    if (is_option(word)) {
      unknown_flag(word, command, options);
    }
    arguments.operands.push_back(word);
  }
  for (const auto& [option, parsed] : known) {
    if (parsed->count() == 0) {
      continue;
    }
    const std::string name(option->name);
    auto values = parsed->results();
    if (option->value.empty()) {
      arguments.set_switch(without_dashes(name), is_yes(name, values.back()), Arguments::From::line);
      continue;
    }
    for (const auto& value : values) {
      check_value(*option, name, value);
    }
    arguments.set(without_dashes(name), std::move(values), Arguments::From::line);
  }
}

void read_variables(const Command& command, const Environment& environment, Arguments& arguments) {
  for (const auto& option : options_for(&command)) {
    const bool hides =
        std::any_of(common_options().begin(), common_options().end(), [&](const Option& common) {
          return common.name == option.name && has_own(command, option.name);
        });
    if (option.repeat == Repeat::yes || option.name == "--help" || hides) {
      continue; // a variable says what it says to all commands
    }
    if (option.name == "--trust") {
      continue; // PYRO_TRUST agrees without remembering: Session reads it
    }
    const auto name = without_dashes(option.name);
    const auto variable = variable_of(option);
    const auto value = environment(variable);
    if (!value || value->empty() || arguments.is_set(name)) {
      continue;
    }
    require_utf8(*value, "the variable " + variable);
    if (option.value.empty()) {
      arguments.set_switch(name, is_yes(variable, *value), Arguments::From::variable);
    } else {
      check_value(option, variable, *value);
      arguments.set(name, {*value}, Arguments::From::variable);
    }
  }
}

/// The words that name the command, and everything else in `rest`. nullptr: none, or a group alone.
const Command* find_verb(const Words& words, CommandLine& line, Words& before, Words& after) {
  const auto options = options_for(nullptr);
  auto at = skip_options(words, 0, options, before);
  if (at == words.size() || words[at] == "--") {
    return nullptr;
  }
  std::string name = words[at++];
  if (name == "help") {
    line.help = true;
    if (at == words.size()) {
      return nullptr;
    }
    name = words[at++];
  }
  while (is_command_group(name)) {
    at = skip_options(words, at, options, before);
    const bool is_alone = at == words.size() || words[at] == "--";
    const auto longer = is_alone ? name : name + " " + words[at];
    const bool is_known = !is_alone && (find_command(longer) != nullptr || is_command_group(longer));
    if (!is_known && find_command(name) != nullptr) {
      break; // `trust` is a command, and so is `trust ls`
    }
    if (is_alone) {
      line.group = name;
      return nullptr;
    }
    if (!is_known) {
      unknown_command(words[at], name + " ");
    }
    name += " " + words[at++];
  }
  after.assign(words.begin() + static_cast<std::ptrdiff_t>(at), words.end());
  const auto* command = find_command(name);
  if (command == nullptr) {
    unknown_command(name, "");
  }
  return command;
}

} // namespace

bool Arguments::has(std::string_view name) const {
  const auto found = m_switches.find(name);
  return found != m_switches.end() ? found->second : m_values.contains(name);
}

bool Arguments::is_on_the_line(std::string_view name) const {
  return m_on_the_line.contains(name) && has(name);
}

bool Arguments::is_set(std::string_view name) const {
  return m_switches.contains(name) || m_values.contains(name);
}

std::string Arguments::value(std::string_view name, std::string_view otherwise) const {
  const auto found = m_values.find(name);
  return found == m_values.end() || found->second.empty() ? std::string(otherwise) : found->second.back();
}

std::vector<std::string> Arguments::values(std::string_view name) const {
  const auto found = m_values.find(name);
  return found == m_values.end() ? Words{} : found->second;
}

void Arguments::set(const std::string& name, std::vector<std::string> values, From from) {
  m_values[name] = std::move(values);
  if (from == From::line) {
    m_on_the_line.insert(name);
  }
}

void Arguments::set_switch(const std::string& name, bool is_on, From from) {
  m_switches[name] = is_on;
  if (from == From::line) {
    m_on_the_line.insert(name);
  }
}

bool has_own(const Command& command, std::string_view name) {
  return std::any_of(command.options.begin(), command.options.end(), [&](const Option& option) {
    return option.name == name;
  });
}

CommandLine parse_command_line(const std::vector<std::string>& words, const Environment& environment) {
  CommandLine line;
  Words before;
  Words after;
  line.command = find_verb(words, line, before, after);
  if (line.command == nullptr) {
    for (const auto& word : before) {
      line.help = line.help || word == "-h" || word == "--help";
      line.version = line.version || word == "--version";
    }
    if (!line.help && !line.version && line.group.empty() && !before.empty()) {
      throw Error(ErrorCode::usage, "'{}' without a command", before.front())
          .with_hint("pyro --help lists the commands");
    }
    return line;
  }
  const auto& command = *line.command;
  spell_out(before);
  Words flags = before;
  if (command.trailing == Trailing::program) {
    auto at = skip_options(after, 0, options_for(&command), flags);
    auto& operands = line.arguments.operands;
    while (operands.size() < command.operands.size() && at < after.size() && after[at] != "--") {
      operands.push_back(after[at]);
      at = skip_options(after, at + 1, options_for(&command), flags);
    }
    at += at < after.size() && after[at] == "--" ? 1 : 0;
    line.arguments.program.assign(after.begin() + static_cast<std::ptrdiff_t>(at), after.end());
    read_options(command, flags, line.arguments);
  } else {
    const auto end = std::find(after.begin(), after.end(), "--");
    flags.insert(flags.end(), after.begin(), end);
    read_options(command, flags, line.arguments);
    if (end != after.end()) {
      line.arguments.operands.insert(line.arguments.operands.end(), end + 1, after.end());
    }
  }
  line.help = line.help || line.arguments.has("help");
  if (!line.help) {
    read_variables(command, environment, line.arguments);
    check_operands(command, line.arguments.operands);
  }
  return line;
}

std::string variable_of(const Option& option) {
  auto name = "PYRO_" + without_dashes(option.name);
  for (auto& character : name) {
    character =
        character == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(character)));
  }
  return name;
}

} // namespace pyro::cli
