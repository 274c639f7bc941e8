// Completion scripts and manual pages, generated from the command table.
#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/help.hpp>
#include <pyro/cli/session.hpp>
#include <pyro/operations/text.hpp>

#include <set>

namespace pyro::cli {

namespace completion_command {

namespace {

constexpr std::string_view k_page = R"(
Prints a script that teaches your shell the commands and flags of pyro.

Examples:
  bash:  echo 'source <(pyro completion bash)' >> ~/.bashrc
  zsh:   pyro completion zsh > "${fpath[1]}/_pyro"
  fish:  pyro completion fish > ~/.config/fish/completions/pyro.fish
)";

constexpr std::string_view k_man_page = R"(
Prints the manual page of pyro, or of one command, in the format of man.

Examples:
  pyro man | man -l -
  pyro man snapshot save | man -l -
)";

constexpr std::array k_operands{Operand{"SHELL", Count::one, "bash, zsh or fish"}};
constexpr std::array k_man_operands{Operand{"COMMAND", Count::many, "Default: pyro as a whole"}};

std::string spaced(std::string_view choices) {
  std::string text(choices);
  std::replace(text.begin(), text.end(), '|', ' ');
  return text;
}

/// Flags of a command, its own before the common ones, as words; of none: the common ones.
std::string flags_of(const Command* command) {
  std::string words;
  const auto add = [&](std::span<const Option> options) {
    for (const auto& option : options) {
      words += fmt::format("{}{}", words.empty() ? "" : " ", option.name);
    }
  };
  if (command == nullptr) {
    add(common_options());
    return words;
  }
  add(command->options);
  add(common_options_of(*command));
  return words;
}

/// What may follow the beginning of a command: "" has all first words, "workspace" its verbs and "shell",
/// "workspace shell" the verbs of that.
std::map<std::string, std::set<std::string>> next_words() {
  std::map<std::string, std::set<std::string>> words;
  for (const auto* command : all_commands()) {
    std::string path;
    for (const auto& word : fields_of(command->name, ' ')) {
      words[path].insert(word);
      path += (path.empty() ? "" : " ") + word;
    }
  }
  return words;
}

/// A case of bash or zsh for each command: what may follow it.
std::string cases(std::string_view variable) {
  std::string text;
  for (const auto* command : all_commands()) {
    text += fmt::format("    '{}') {}='{}' ;;\n", command->name, variable, flags_of(command));
  }
  return text;
}

std::string value_cases(std::string_view action) {
  std::string text;
  for (const auto& option : common_options()) {
    if (!option.choices.empty()) {
      const auto names =
          option.letter.empty() ? std::string(option.name) : fmt::format("{}|{}", option.letter, option.name);
      text +=
          fmt::format("    {}) {} ;;\n", names, fmt::format(fmt::runtime(action), spaced(option.choices)));
    }
  }
  return text;
}

/// A case of bash or zsh for each beginning of a command.
std::string groups(std::string_view variable) {
  std::string text;
  for (const auto& [path, words] : next_words()) {
    text += fmt::format("    '{}') {}='{}' ;;\n", path, variable, fmt::join(words, " "));
  }
  return text;
}

/// The beginnings alone, as one pattern of a case.
std::string group_pattern() {
  std::vector<std::string> paths;
  for (const auto& [path, words] : next_words()) {
    paths.push_back("'" + path + "'");
  }
  return fmt::format("{}", fmt::join(paths, "|"));
}

std::string bash_script() {
  std::string text =
      "# completion of pyro for bash; made by: pyro completion bash\n_pyro() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb= whole= words= i\n"
      "  COMPREPLY=()\n  case $prev in\n";
  text += value_cases(R"(COMPREPLY=($(compgen -W '{}' -- "$cur")); return)");
  text += "    -f|--file) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n"
          "    -C|--directory) COMPREPLY=($(compgen -d -- \"$cur\")); return ;;\n  esac\n"
          "  for ((i = 1; i < COMP_CWORD; i++)); do\n    case ${COMP_WORDS[i]} in\n"
          "      --) COMPREPLY=($(compgen -c -f -- \"$cur\")); return ;;\n      -*) continue ;;\n    esac\n"
          "    [[ -n $whole ]] && continue\n    verb=\"${verb:+$verb }${COMP_WORDS[i]}\"\n    case $verb in "
          + group_pattern() + ") ;; *) whole=1 ;; esac\n  done\n";
  text += "  if [[ -z $whole ]]; then\n    case $verb in\n" + groups("words")
          + "    esac\n    [[ -z $verb ]] && words=\"$words " + flags_of(nullptr)
          + "\"\n  else\n    case $verb in\n" + cases("words")
          + "    esac\n    [[ $verb == completion ]] && words=\"bash zsh fish $words\"\n  fi\n"
            "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\ncomplete -o default -F _pyro pyro\n";
  return text;
}

std::string zsh_script() {
  std::string text = "#compdef pyro\n# completion of pyro for zsh; made by: pyro completion zsh\n_pyro() {\n"
                     "  local verb= whole= list= word\n  case ${words[CURRENT-1]} in\n";
  text += value_cases("compadd -- {}; return");
  text += "    -f|--file) _files; return ;;\n    -C|--directory) _files -/; return ;;\n  esac\n"
          "  for word in ${words[2,CURRENT-1]}; do\n    case $word in\n      --) _normal; return ;;\n      "
          "-*) continue ;;\n    esac\n    [[ -n $whole ]] && continue\n    verb=\"${verb:+$verb }$word\"\n"
          "    case $verb in "
          + group_pattern() + ") ;; *) whole=1 ;; esac\n  done\n";
  text += "  if [[ -z $whole ]]; then\n    case $verb in\n" + groups("list")
          + "    esac\n    [[ -z $verb ]] && list=\"$list " + flags_of(nullptr)
          + "\"\n  else\n    case $verb in\n" + cases("list")
          + "    esac\n    [[ $verb == completion ]] && compadd -- bash zsh fish\n  fi\n"
            "  compadd -- ${=list}\n}\n"
            "[[ $funcstack[1] = _pyro ]] && _pyro \"$@\" || compdef _pyro pyro\n";
  return text;
}

/// As fish writes a literal.
std::string fish_quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    quoted += c == '\'' || c == '\\' ? fmt::format("\\{}", c) : std::string(1, c);
  }
  return quoted + "'";
}

std::string fish_option(const Option& option, std::string_view condition) {
  std::string line = fmt::format("complete -c pyro{} -l {}", condition, option.name.substr(2));
  if (!option.letter.empty()) {
    line += fmt::format(" -s {}", option.letter.substr(1));
  }
  if (!option.choices.empty()) {
    line += fmt::format(" -x -a {}", fish_quoted(spaced(option.choices)));
  } else if (!option.value.empty()) {
    line += option.value == "FILE" || option.value == "DIR" ? " -r -F" : " -x";
  }
  return line + fmt::format(" -d {}\n", fish_quoted(option.help));
}

std::string fish_script() {
  std::string text = "# completion of pyro for fish; made by: pyro completion fish\ncomplete -c pyro -f\n";
  for (const auto& option : common_options()) {
    text += fish_option(option, " -n __fish_use_subcommand");
  }
  const auto after = [](const std::vector<std::string>& words) {
    std::string condition;
    for (const auto& word : words) {
      condition += (condition.empty() ? "" : "; and ") + ("__fish_seen_subcommand_from " + word);
    }
    return condition.empty() ? std::string("__fish_use_subcommand") : condition;
  };
  std::set<std::string> groups;
  for (const auto* command : all_commands()) {
    auto words = fields_of(command->name, ' ');
    for (std::size_t length = 1; length < words.size(); ++length) {
      const std::vector<std::string> group(
          words.begin(), words.begin() + static_cast<std::ptrdiff_t>(length));
      if (groups.insert(fmt::format("{}", fmt::join(group, " "))).second) {
        text += fmt::format(
            "complete -c pyro -n '{}' -a {}\n", after({group.begin(), group.end() - 1}), group.back());
      }
    }
    const auto last = words.back();
    const auto common = common_options_of(*command);
    for (const auto& options : {command->options, std::span<const Option>(common)}) {
      for (const auto& option : options) {
        text += fish_option(option, fmt::format(" -n '{}'", after(words)));
      }
    }
    words.pop_back();
    text += fmt::format(
        "complete -c pyro -n '{}' -a {} -d {}\n", after(words), last, fish_quoted(command->summary));
  }
  return text + "complete -c pyro -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'\n";
}

int run(Session& session) {
  const auto& shell = session.arguments().operands.front();
  if (shell == "bash") {
    session.console().out(bash_script());
  } else if (shell == "zsh") {
    session.console().out(zsh_script());
  } else if (shell == "fish") {
    session.console().out(fish_script());
  } else {
    throw Error(ErrorCode::usage, "there is no completion for '{}'", shell).with_hint("bash, zsh or fish");
  }
  return 0;
}

int run_man(Session& session) {
  std::string name;
  for (const auto& word : session.arguments().operands) {
    name += (name.empty() ? "" : " ") + word;
  }
  const auto* command = find_command(name);
  if (!name.empty() && command == nullptr) {
    throw Error(ErrorCode::usage, "there is no command '{}'", name)
        .with_hint("pyro --help lists the commands");
  }
  session.console().out(manual_page(command));
  return 0;
}

} // namespace

} // namespace completion_command

constinit const Command k_completion{
    .name = "completion",
    .summary = "Print a completion script for a shell",
    .page = completion_command::k_page,
    .run = completion_command::run,
    .operands = completion_command::k_operands,
    .takes = Takes::nothing,
};

constinit const Command k_man{
    .name = "man",
    .summary = "Print a manual page",
    .page = completion_command::k_man_page,
    .run = completion_command::run_man,
    .operands = completion_command::k_man_operands,
    .takes = Takes::nothing,
};

} // namespace pyro::cli
