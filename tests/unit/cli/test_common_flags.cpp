// Common flags choose what a command is about and in which form it answers: each command acts on one, or
// refuses it. The list of commands is the program's own.
#include "memory_engine.hpp"

#include <pyro/base/text.hpp>
#include <pyro/cli/commands.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace pyro::cli {

namespace {

using Words = std::vector<std::string>;

/// A command line of the command with nothing but what it needs, and a flag.
Words line_of(const Command& command, const Words& flag) {
  auto words = fields_of(command.name, ' ');
  for (const auto& operand : command.operands) {
    if (operand.count == Count::one || command.name == "port-forward") {
      const bool is_second = words.size() > fields_of(command.name, ' ').size();
      words.emplace_back(
          command.name == "completion"        ? "bash"
          : command.name == "cp" && is_second ? ":x"
                                              : "x");
    }
  }
  if (command.name == "top") {
    words.emplace_back("--once");
  }
  words.insert(words.end(), flag.begin(), flag.end());
  if (command.trailing == Trailing::program) {
    words.insert(words.end(), {"--", "true"});
  }
  return words;
}

bool is_refused(const Terminal& terminal) {
  return terminal.err.find(" means nothing to pyro ") != std::string::npos;
}

bool reached_the_engine(const World& world, const std::string& value) {
  return std::any_of(world.calls.begin(), world.calls.end(), [&](const auto& call) {
    return call.second.dump().find(value) != std::string::npos;
  });
}

/// An engine that answers whatever it is asked, with documents that nobody makes text of.
Terminal terminal_with_answers() {
  Terminal terminal;
  terminal.environment = {{"PYRO_JSON", "1"}};
  terminal.world.otherwise = [](const Json&, const operations::Callbacks&) {
    return Json{{"snapshots", Json::array()}};
  };
  terminal.world.exec = [](const operations::ExecRequest&, const operations::ExecStreams&) {
    return operations::ExecResult{};
  };
  terminal.world.forward = [](const std::vector<std::string>&, const operations::ForwardSinks& sinks) {
    sinks.listening(Json::array());
  };
  return terminal;
}

/// They do without the engine, need a terminal or answer no document: functional tests see their flags at
/// work.
bool is_seen_elsewhere(const Command& command) {
  constexpr std::array k_elsewhere{"init", "mcp serve", "mcp config", "shell", "run"};
  return std::find(k_elsewhere.begin(), k_elsewhere.end(), command.name) != k_elsewhere.end();
}

} // namespace

TEST(CommonFlags, WhatChoosesActsOrIsRefused) {
  const std::array<Words, 5> flags{
      {{"--file", "chosen"},
       {"--directory", "chosen"},
       {"--profile", "chosen"},
       {"--var", "name=chosen"},
       {"--workspace", "chosen"}}};
  for (const auto* command : all_commands()) {
    for (const auto& flag : flags) {
      if (is_seen_elsewhere(*command) || has_own(*command, flag[0])) {
        continue;
      }
      auto terminal = terminal_with_answers();
      const auto status = terminal.run(line_of(*command, flag));
      EXPECT_TRUE(reached_the_engine(terminal.world, "chosen") || (status == 64 && is_refused(terminal)))
          << command->name << " does nothing with " << flag[0] << "\n"
          << terminal.err;
    }
  }
}

TEST(CommonFlags, TheFormActsOrIsRefused) {
  for (const auto* command : all_commands()) {
    if (is_seen_elsewhere(*command) && includes(command->takes, Takes::document)) {
      continue;
    }
    auto terminal = terminal_with_answers();
    const auto status = terminal.run(line_of(*command, {"--json"}));
    EXPECT_TRUE(
        Json::accept(terminal.out) || Json::accept(terminal.err) || (status == 64 && is_refused(terminal)))
        << command->name << "\n"
        << terminal.out << terminal.err;
  }
}

TEST(CommonFlags, VariablesSpeakToThoseWhoListen) {
  auto terminal = terminal_with_answers();
  terminal.environment = {{"PYRO_WORKSPACE", "chosen"}, {"PYRO_DIRECTORY", "chosen"}, {"PYRO_JSON", "1"}};
  for (const auto* command : all_commands()) {
    terminal.run(line_of(*command, {}));
    EXPECT_FALSE(is_refused(terminal)) << command->name << "\n" << terminal.err;
  }
}

TEST(CommonFlags, AWorkspaceOrAFile) {
  auto terminal = terminal_with_answers();
  for (const auto& file : {Words{"-f", "one.yaml"}, Words{"-C", "there"}}) {
    auto words = Words{"status", "-w", "other"};
    words.insert(words.end(), file.begin(), file.end());
    EXPECT_EQ(terminal.run(words), 64);
    EXPECT_NE(terminal.err.find("which of the two?"), std::string::npos) << terminal.err;
  }
  terminal.environment = {{"PYRO_WORKSPACE", "variable"}, {"PYRO_JSON", "1"}};
  terminal.run({"status", "-C", "there"});
  EXPECT_EQ(terminal.world.calls[0].second, Json({{"directory", "there"}})) << "who says it last is meant";
  terminal.run({"status"});
  EXPECT_EQ(terminal.world.calls[0].second, Json({{"workspace", "variable"}}));
  terminal.environment = {{"PYRO_DIRECTORY", "there"}, {"PYRO_JSON", "1"}};
  terminal.run({"status", "-w", "other"});
  EXPECT_EQ(string_or(terminal.world.calls[0].second, "workspace", ""), "other");
}

TEST(CommonFlags, HelpNamesThoseThatAreTaken) {
  Terminal terminal;
  terminal.run({"ls", "--help"});
  EXPECT_EQ(terminal.out.find("--workspace"), std::string::npos) << terminal.out;
  EXPECT_NE(terminal.out.find("--json"), std::string::npos) << terminal.out;
  terminal.run({"apply", "--help"});
  EXPECT_NE(terminal.out.find("--workspace"), std::string::npos) << terminal.out;
}

TEST(CommonFlags, AValueThatLooksLikeNoIsAValue) {
  auto terminal = terminal_with_answers();
  terminal.run({"workspace", "service", "start", "x", "y", "--ready-command", "false", "--", "true"});
  ASSERT_EQ(terminal.world.calls.size(), 1U) << terminal.err;
  EXPECT_EQ(terminal.world.calls[0].second["readiness"], Json({{"type", "command"}, {"command", "false"}}));
  terminal.run({"apply", "--yes=false", "--no-wait=true"});
  EXPECT_EQ(terminal.world.calls[0].second["approve"], false);
  EXPECT_EQ(terminal.world.calls[0].second["wait"], false);
  terminal.environment = {{"PYRO_YES", "1"}, {"PYRO_JSON", "1"}};
  terminal.run({"apply"});
  EXPECT_EQ(terminal.world.calls[0].second["approve"], true);
  terminal.run({"apply", "--yes=false"});
  EXPECT_EQ(terminal.world.calls[0].second["approve"], false) << "the line is the last word";
}

TEST(CommonFlags, AnEmptyValueIsNoValue) {
  auto terminal = terminal_with_answers();
  for (const auto& words : {Words{"reset", "--to", ""}, {"status", "-w", ""}, {"apply", "--timeout", ""}}) {
    EXPECT_EQ(terminal.run(words), 64);
    EXPECT_NE(terminal.err.find("the value is empty"), std::string::npos) << terminal.err;
    EXPECT_TRUE(terminal.world.calls.empty());
  }
}

} // namespace pyro::cli
