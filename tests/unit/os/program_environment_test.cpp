#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/process.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

namespace pyro::os {
namespace {

/// Sets variables for a test and puts them back.
class Surroundings {
public:
  void set(const std::string& name, const std::string& value) {
    const char* before = std::getenv(name.c_str());
    m_before.emplace(name, before != nullptr ? std::optional<std::string>(before) : std::nullopt);
    ::setenv(name.c_str(), value.c_str(), 1);
  }

  ~Surroundings() {
    for (const auto& [name, value] : m_before) {
      value ? ::setenv(name.c_str(), value->c_str(), 1) : ::unsetenv(name.c_str());
    }
  }

private:
  std::map<std::string, std::optional<std::string>> m_before;
};

std::set<std::string> names_seen_by(Command command) {
  std::set<std::string> names;
  const auto text = run_checked(std::move(command));
  for (const auto line : lines_of(text)) {
    names.emplace(line.substr(0, line.find('=')));
  }
  return names;
}

TEST(ProgramEnvironment, ProgramsSeeNothingOfTheCallersVariables) {
  Surroundings surroundings;
  for (const auto* name :
       {"GIT_DIR", "GIT_SSH_COMMAND", "GIT_CONFIG_COUNT", "LD_LIBRARY_PATH", "PERL5OPT", "PYTHONSTARTUP",
        "BASH_ENV", "IFS", "SECRET_TOKEN", "PYRO_HOME"}) {
    surroundings.set(name, "/tmp/of-the-caller");
  }
  surroundings.set("TMPDIR", "/var/tmp");
  EXPECT_EQ(names_seen_by({{"env"}}), (std::set<std::string>{"HOME", "LANG", "PATH", "TMPDIR"}));

  Command own{{"env"}};
  own.env = Variables{{"ONLY", "this"}};
  EXPECT_EQ(names_seen_by(std::move(own)), std::set<std::string>{"ONLY"});

  Command all{{"env"}};
  all.env = inherited_environment();
  EXPECT_TRUE(names_seen_by(std::move(all)).contains("SECRET_TOKEN"));
}

TEST(ProgramEnvironment, ProxiesAreForDownloadsAlone) {
  Surroundings surroundings;
  surroundings.set("https_proxy", "http://proxy.invalid:1");
  EXPECT_FALSE(made_environment().contains("https_proxy"));
  EXPECT_EQ(made_environment_with_proxies().at("https_proxy"), "http://proxy.invalid:1");
}

/// node_modules/.bin in PATH is the checkout's: what it means depends on where one stands.
TEST(ProgramEnvironment, ProgramsAreNotLookedForInRelativeDirectories) {
  const TempDir directory(std::filesystem::temp_directory_path().string(), "pyro-path");
  const auto program = directory.path() + "/pyro-test-program";
  std::ofstream(program) << "#!/bin/sh\n";
  std::filesystem::permissions(program, std::filesystem::perms(0755));
  const auto here = std::filesystem::current_path();
  std::filesystem::current_path(directory.path());
  Surroundings surroundings;
  for (const auto* entry : {"", ".", "./", "../"}) {
    surroundings.set("PATH", std::string(entry) + ":/usr/bin:/bin:" + entry);
    EXPECT_EQ(find_program("pyro-test-program"), std::nullopt) << "'" << entry << "'";
    EXPECT_TRUE(made_environment().at("PATH").starts_with("/usr/bin:/bin:/"))
        << made_environment().at("PATH");
  }
  surroundings.set("PATH", directory.path());
  EXPECT_EQ(find_program("pyro-test-program"), program);
  std::filesystem::current_path(here);
}

/// Its output ends long before it does.
TEST(Run, WaitsForTheEndAndNotOnlyForTheOutput) {
  EXPECT_THROW(
      run({{"sh", "-c", "exec >&- 2>&-; exec sleep 1000"}}, {}, std::chrono::milliseconds(300)), Error);
  EXPECT_EQ(run({{"sh", "-c", "exec >&- 2>&-; exit 3"}}).outcome.code, 3);
}

} // namespace
} // namespace pyro::os
