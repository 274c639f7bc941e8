// The commands of the documentation work as written: every ```console block below a line `<!-- test -->` of
// README.md and docs/*.md is run, the blocks of one file in order in one directory that holds the examples.
// `$ ` starts a command, which has to end with 0, or with N where the line ends with `# exit N`. Lines below
// it must occur in its output in that order; `…` stands for anything.
#include "../support/home.hpp"

#include <algorithm>
#include <regex>
#include <sstream>

namespace pyro::testing {
namespace {

struct Command {
  std::string text;
  int status = 0;
  int line = 0;
  std::vector<std::string> expected;
};

std::vector<Command> commands_of(const fs::path& document) {
  static const std::regex exit_note(R"(\s+#\s*exit (\d+)\s*$)");
  std::vector<Command> commands;
  std::istringstream in(read_file(document));
  bool marked = false;
  bool inside_block = false;
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line == "<!-- test -->") {
      marked = true;
    } else if (marked && line == "```console") {
      inside_block = true;
    } else if (line == "```") {
      marked = inside_block = false;
    } else if (inside_block && line.starts_with("$ ")) {
      Command command{.text = line.substr(2), .line = number};
      if (std::smatch match; std::regex_search(line, match, exit_note)) {
        command.status = std::stoi(match[1]);
      }
      commands.push_back(command);
    } else if (inside_block && !commands.empty()) {
      commands.back().expected.push_back(line);
    }
  }
  return commands;
}

/// Do the parts of `line`, split at every …, occur in this order from `at` on? Moves `at` behind them.
bool find_line(const std::string& text, const std::string& line, std::size_t& at) {
  static const std::string gap = "…";
  for (std::size_t from = 0; from <= line.size();) {
    auto to = line.find(gap, from);
    to = to == std::string::npos ? line.size() : to;
    const auto found = text.find(line.substr(from, to - from), at);
    if (found == std::string::npos) {
      return false;
    }
    at = found + (to - from);
    from = to + gap.size();
  }
  return true;
}

class Docs : public Functional, public ::testing::WithParamInterface<const char*> {
protected:
  /// Where libpyro is after an installation; empty: this user cannot make one.
  fs::path installed_libraries() {
    if (::access(binary_dir().c_str(), W_OK) != 0) {
      return {};
    }
    const auto prefix = root() / "prefix";
    const auto done = command({"cmake", "--install", binary_dir(), "--prefix", prefix}, {.cwd = root()});
    EXPECT_EQ(done.status, 0) << done;
    for (const auto& entry : fs::recursive_directory_iterator(prefix)) {
      if (entry.path().filename() == "libpyro.so.0") {
        return entry.path().parent_path();
      }
    }
    ADD_FAILURE() << "libpyro.so.0 was not installed";
    return {};
  }
};

TEST_P(Docs, CommandsWorkAsWritten) {
  const auto commands = commands_of(source_dir() / GetParam());
  ASSERT_FALSE(commands.empty()) << GetParam() << " has no tested block";
  for (const auto* name : {"quickstart", "cpp-project", "ci", "database", "from-compose", "c"}) {
    copy_example(name, another_project(std::string("examples/") + name));
  }
  another_project("notes"); // made by docs/cli.md
  another_project("app");   // made by docs/images.md
  fs::remove(root() / "notes");
  fs::remove(root() / "app");

  RunOptions options;
  if (contains(read_file(source_dir() / GetParam()), "$(pkg-config")) {
    const auto libraries = installed_libraries();
    if (libraries.empty()) {
      GTEST_SKIP() << "cmake --install writes its list into the build, which belongs to somebody else";
    }
    options.env = {{"PKG_CONFIG_PATH", libraries / "pkgconfig"}, {"LD_LIBRARY_PATH", libraries}};
  }

  // One shell for all, so that `cd` and files carry over; each command's output goes to a file of its own.
  std::string script = "cd '" + root().string() + "'\n";
  const auto log = root() / "log";
  fs::create_directories(log);
  for (std::size_t index = 0; index < commands.size(); ++index) {
    const auto file = (log / std::to_string(index)).string();
    script += "{ " + commands[index].text + "\n} >" + file + ".out 2>&1; echo $? >" + file + ".status\n";
  }
  const auto ran = command({"bash", "-c", script}, options);
  for (std::size_t index = 0; index < commands.size(); ++index) {
    const auto& each = commands[index];
    const auto file = (log / std::to_string(index)).string();
    ASSERT_TRUE(fs::exists(file + ".status")) << each.text << " was not run: " << ran;
    const auto output = read_file(file + ".out");
    const auto place = std::string(GetParam()) + ":" + std::to_string(each.line) + ": " + each.text;
    EXPECT_EQ(std::stoi(read_file(file + ".status")), each.status) << place << "\n" << output;
    std::size_t at = 0;
    for (const auto& line : each.expected) {
      EXPECT_TRUE(find_line(output, line, at)) << place << "\ndoes not print: " << line << "\nbut:\n"
                                               << output;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, Docs,
    ::testing::Values(
        "README.md", "docs/cli.md", "docs/workspaces.md", "docs/images.md", "docs/databases.md",
        "docs/from-compose.md", "docs/c-api.md"),
    [](const auto& param) {
      std::string name = fs::path(param.param).stem().string();
      name.erase(std::remove(name.begin(), name.end(), '-'), name.end());
      return name;
    });

TEST(DocsFiles, LinksLeadSomewhere) {
  static const std::regex link(R"(\]\(([^)#:]+)\))");
  for (const auto* folder :
       {".", "docs", "docs/decisions", "examples/quickstart", "examples/redis", "examples/database"}) {
    for (const auto& entry : fs::directory_iterator(source_dir() / folder)) {
      if (entry.path().extension() != ".md") {
        continue;
      }
      const auto text = read_file(entry.path());
      for (std::sregex_iterator it(text.begin(), text.end(), link), end; it != end; ++it) {
        EXPECT_TRUE(fs::exists(entry.path().parent_path() / (*it)[1].str()))
            << entry.path() << " links to " << (*it)[1].str();
      }
    }
  }
}

TEST(DocsFiles, EveryCommandIsDocumented) {
  const auto help = os::run({.argv = {(binary_dir() / "bin/pyro").string(), "--help"}});
  ASSERT_TRUE(help.outcome.ok());
  const auto documented = read_file(source_dir() / "docs/cli.md");
  static const std::regex command(R"(^  ([a-z]+)(\s|$))");
  std::istringstream in(help.out);
  bool listed = false;
  int seen = 0;
  for (std::string line; std::getline(in, line);) {
    listed = listed || line.ends_with(":");
    if (std::smatch match; listed && std::regex_search(line, match, command)) {
      ++seen;
      EXPECT_NE(documented.find("`" + match[1].str()), std::string::npos)
          << "docs/cli.md lacks " << match[1].str();
    }
  }
  EXPECT_GT(seen, 10) << help.out;
}

} // namespace
} // namespace pyro::testing
