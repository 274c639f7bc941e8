// What is generated from the command table is accepted by those who read it.
#include "memory_engine.hpp"

#include <pyro/cli/commands.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

namespace pyro::cli {

namespace {

/// Exit status of `command` with `text` as its standard input.
int feed(const std::string& command, const std::string& text) {
  FILE* pipe = popen(command.c_str(), "w");
  EXPECT_NE(pipe, nullptr);
  EXPECT_EQ(fwrite(text.data(), 1, text.size(), pipe), text.size());
  return pclose(pipe);
}

bool installed(const std::string& program) {
  return std::system(fmt::format("command -v {} >/dev/null 2>&1", program).c_str()) == 0;
}

} // namespace

TEST(Completion, BashCompletesCommandsFlagsAndValues) {
  Terminal terminal;
  ASSERT_EQ(terminal.run({"completion", "bash"}), 0);
  const auto check = [&](const std::string& words, const std::string& wanted) {
    const auto script = terminal.out
                        + fmt::format(
                            "\nCOMP_WORDS=({}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _pyro\n"
                            "[[ \" ${{COMPREPLY[*]}} \" == *\" {} \"* ]]\n",
                            words, wanted);
    return feed("bash -s", script) == 0;
  };
  EXPECT_TRUE(check("pyro ap", "apply"));
  EXPECT_TRUE(check("pyro apply --no-", "--no-wait"));
  EXPECT_TRUE(check("pyro snapshot ''", "save"));
  EXPECT_TRUE(check("pyro snapshot ls --j", "--json"));
  EXPECT_TRUE(check("pyro workspace ''", "shell"));
  EXPECT_TRUE(check("pyro workspace shell ''", "open"));
  EXPECT_FALSE(check("pyro workspace shell ''", "create"));
  EXPECT_TRUE(check("pyro workspace shell read id --pl", "--plain"));
  EXPECT_TRUE(check("pyro plan -o js", "jsonl"));
  EXPECT_TRUE(check("pyro completion f", "fish"));
  EXPECT_FALSE(check("pyro status --no-", "--no-wait"));
}

TEST(Completion, OtherShellsReadTheirs) {
  Terminal terminal;
  for (const auto* shell : {"zsh", "fish"}) {
    ASSERT_EQ(terminal.run({"completion", shell}), 0);
    for (const auto* command : all_commands()) {
      const std::string name(command->name);
      EXPECT_NE(terminal.out.find(name.substr(name.rfind(' ') + 1)), std::string::npos)
          << shell << " " << name;
    }
    if (installed(shell)) {
      EXPECT_EQ(feed(std::string(shell) + " -n", terminal.out), 0) << shell;
    }
  }
  EXPECT_EQ(terminal.run({"completion", "tcsh"}), 64);
}

TEST(Manual, PagesHaveTheirSections) {
  Terminal terminal;
  ASSERT_EQ(terminal.run({"man", "snapshot", "save"}), 0);
  EXPECT_EQ(terminal.out.rfind(".TH pyro-snapshot-save 1", 0), 0U);
  for (const auto* section : {".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION", ".SH COMMON FLAGS"}) {
    EXPECT_NE(terminal.out.find(section), std::string::npos);
  }
  EXPECT_EQ(terminal.run({"man"}), 0);
  EXPECT_EQ(terminal.run({"man", "nothing"}), 64);
}

} // namespace pyro::cli
