#include <pyro/base/error.hpp>
#include <pyro/cli/arguments.hpp>
#include <pyro/cli/commands.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>

namespace pyro::cli {

namespace {

CommandLine
parse(const std::vector<std::string>& words, const std::map<std::string, std::string>& environment = {}) {
  return parse_command_line(words, [&](const std::string& name) -> std::optional<std::string> {
    const auto found = environment.find(name);
    return found == environment.end() ? std::nullopt : std::optional(found->second);
  });
}

std::string
refusal(const std::vector<std::string>& words, const std::map<std::string, std::string>& environment = {}) {
  try {
    parse(words, environment);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage);
    return error.message() + (error.hint().empty() ? "" : " | " + error.hint());
  }
  return "accepted";
}

using Words = std::vector<std::string>;

/// What no flag of this kind takes.
Words wrong_values(const Option& option) {
  if (!option.choices.empty()) {
    return {"banana", ""};
  }
  if (option.value == "DURATION") {
    return {"banana", "-5s", "5", "", "99999999999999999999h"};
  }
  if (option.value == "N") {
    return {"banana", "-5", "1.5", "0x10", "", " 1"};
  }
  return {};
}

} // namespace

TEST(Arguments, WrongValuesOfAnyFlagAreWrongUsageAndNameIt) {
  int tried = 0;
  for (const auto* command : all_commands()) {
    Words words;
    std::istringstream name{std::string(command->name)};
    for (std::string word; name >> word;) {
      words.push_back(word);
    }
    std::vector<Option> options;
    for (const auto& option : common_options()) {
      if (!has_own(*command, option.name)) {
        options.push_back(option);
      }
    }
    options.insert(options.end(), command->options.begin(), command->options.end());
    for (const auto& option : options) {
      for (const auto& value : wrong_values(option)) {
        auto line = words;
        line.push_back(std::string(option.name) + "=" + value);
        const auto message = refusal(line);
        EXPECT_NE(message.find(std::string(option.name)), std::string::npos)
            << command->name << " " << option.name << "=" << value << ": " << message;
        ++tried;
        const bool hides = std::any_of( // then the variable is the common flag's
            common_options().begin(), common_options().end(), [&](const Option& common) {
              return common.name == option.name && has_own(*command, option.name);
            });
        if (!value.empty() && option.repeat == Repeat::no && !hides
            && includes(command->takes, option.kind)) {
          const auto variable = variable_of(option);
          const auto by_variable = refusal(words, {{variable, value}});
          EXPECT_NE(by_variable.find(variable), std::string::npos) << command->name << ": " << by_variable;
        }
      }
    }
  }
  EXPECT_GT(tried, 500);
}

TEST(Arguments, CommonFlagsBeforeAndAfterTheCommand) {
  for (const auto& words :
       {Words{"-C", "/x", "--json", "status", "-w", "shop"}, Words{"status", "-C/x", "-w", "shop", "--json"},
        Words{"--directory=/x", "status", "--workspace=shop", "--json"}}) {
    const auto line = parse(words);
    ASSERT_EQ(line.command, &k_status);
    EXPECT_EQ(line.arguments.value("directory"), "/x");
    EXPECT_EQ(line.arguments.value("workspace"), "shop");
    EXPECT_TRUE(line.arguments.has("json"));
  }
}

TEST(Arguments, CommandsOfTwoWordsAndAliases) {
  EXPECT_EQ(parse({"snapshot", "save", "x"}).command, &k_snapshot_save);
  EXPECT_EQ(parse({"snapshot", "-q", "ls"}).command, &k_snapshot_ls);
  EXPECT_EQ(parse({"snapshot", "list"}).command, &k_snapshot_ls);
  EXPECT_EQ(parse({"list"}).command, &k_ls);
  EXPECT_EQ(parse({"snapshot"}).group, "snapshot");
  EXPECT_EQ(parse({"snapshot"}).command, nullptr);
}

TEST(Arguments, RepeatedValuesAreKept) {
  EXPECT_EQ(parse({"plan", "--var", "a=1", "--var=b=2"}).arguments.values("var"), (Words{"a=1", "b=2"}));
  EXPECT_EQ(parse({"plan", "--profile", "a", "--profile", "b"}).arguments.value("profile"), "b");
  EXPECT_EQ(parse({"plan", "--var", "list=[a,b]"}).arguments.values("var"), (Words{"list=[a,b]"}));
}

TEST(Arguments, ExecTakesEverythingBehindItsFlags) {
  const auto line = parse({"exec", "-itu", "root", "-e", "A=1", "--", "ls", "--json", "-w"});
  EXPECT_EQ(line.arguments.program, (Words{"ls", "--json", "-w"}));
  EXPECT_EQ(line.arguments.value("user"), "root");
  EXPECT_TRUE(line.arguments.has("interactive"));
  EXPECT_TRUE(line.arguments.has("tty"));
  EXPECT_FALSE(line.arguments.has("json"));
  EXPECT_EQ(parse({"exec", "--cwd", "/", "ls", "-l"}).arguments.program, (Words{"ls", "-l"}));
}

TEST(Arguments, ALetterOfTheCommandHidesTheCommonOne) {
  const auto line = parse({"-f", "other.yaml", "logs", "-f", "api"});
  EXPECT_EQ(line.arguments.value("file"), "other.yaml");
  EXPECT_TRUE(line.arguments.has("follow"));
  EXPECT_EQ(line.arguments.operands, Words{"api"});
  EXPECT_EQ(parse({"plan", "-f", "other.yaml"}).arguments.value("file"), "other.yaml");
}

TEST(Arguments, OperandsBehindTwoDashesMayLookLikeFlags) {
  EXPECT_EQ(parse({"diff", "--stat", "--", "-odd"}).arguments.operands, Words{"-odd"});
}

TEST(Arguments, UnknownWordsSuggestTheNearest) {
  EXPECT_EQ(refusal({"aply"}), "there is no command 'aply' | did you mean 'pyro apply'?");
  EXPECT_EQ(
      refusal({"snapshot", "sav"}),
      "there is no command 'snapshot sav' | did you mean 'pyro snapshot save'?");
  EXPECT_EQ(refusal({"xyzzy"}), "there is no command 'xyzzy' | pyro --help lists the commands");
  EXPECT_EQ(
      refusal({"apply", "--no-wiat"}), "pyro apply has no flag '--no-wiat' | did you mean '--no-wait'?");
  EXPECT_EQ(
      refusal({"plan", "-o", "jsn"}),
      "--output: 'jsn' is none of text|json|jsonl|github | did you mean 'json'?");
  EXPECT_EQ(refusal({"--jsno"}), "'--jsno' without a command | pyro --help lists the commands");
}

TEST(Arguments, OperandsAreCounted) {
  EXPECT_EQ(refusal({"why"}), "pyro why needs ADDRESS | pyro why --help shows examples");
  EXPECT_EQ(
      refusal({"status", "shop"}), "pyro status does not know what to do with 'shop' | a name is given by "
                                   "--workspace NAME|ID; pyro status "
                                   "--help shows how it is used");
  EXPECT_EQ(parse({"diff", "a", "b", "c"}).arguments.operands.size(), 3U);
}

TEST(Arguments, AFlagWithoutItsValueIsRefused) {
  EXPECT_NE(refusal({"apply", "--timeout"}), "accepted");
  EXPECT_NE(refusal({"status", "-w"}), "accepted");
}

TEST(Arguments, VariablesMirrorFlagsAndFlagsWin) {
  const std::map<std::string, std::string> environment{
      {"PYRO_LOCK_TIMEOUT", "5s"}, {"PYRO_YES", "1"}, {"PYRO_OUTPUT", "json"}, {"PYRO_QUIET", "false"}};
  const auto line = parse({"apply", "--output", "text"}, environment);
  EXPECT_EQ(line.arguments.value("lock-timeout"), "5s");
  EXPECT_TRUE(line.arguments.has("yes"));
  EXPECT_FALSE(line.arguments.has("quiet"));
  EXPECT_EQ(line.arguments.value("output"), "text");
  EXPECT_EQ(refusal({"apply"}, {{"PYRO_YES", "maybe"}}), "PYRO_YES: 'maybe' is neither true nor false");
  EXPECT_FALSE(parse({"apply", "--yes=false"}, environment).arguments.has("yes"));
}

TEST(Arguments, OutputOfExportIsAPlace) {
  const auto line = parse({"workspace", "export", "w", "d", "--output", "json"});
  EXPECT_EQ(line.arguments.value("output"), "json");
  const auto none = parse({"workspace", "export", "w", "d"}, {{"PYRO_OUTPUT", "json"}});
  EXPECT_EQ(none.arguments.value("output"), "");
}

TEST(Arguments, EveryCommandIsComplete) {
  std::set<std::string_view> names;
  for (const auto* command : all_commands()) {
    EXPECT_TRUE(names.insert(command->name).second) << command->name;
    EXPECT_NE(command->run, nullptr) << command->name;
    EXPECT_TRUE(command->page.starts_with('\n')) << command->name;
    EXPECT_NE(command->page.find("Examples:"), std::string_view::npos) << command->name;
    std::set<std::string_view> flags;
    for (const auto& option : command->options) {
      EXPECT_TRUE(option.name.starts_with("--")) << command->name;
      EXPECT_TRUE(flags.insert(option.name).second) << command->name << option.name;
    }
    for (const auto& option : common_options()) {
      // One is a place there, one the language of a graph, and one says which tools.
      const bool has_own_output =
          command->name == "workspace export" || command->name == "report" || command->name == "graph";
      const bool is_another = (has_own_output && option.name == "--output")
                              || (command->name == "mcp serve" && option.name == "--profile");
      EXPECT_EQ(flags.insert(option.name).second, !is_another)
          << command->name << " redefines " << option.name;
    }
  }
}

} // namespace pyro::cli
