// The command that a project is tested with, as far as its files say.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace pyro::workspace {

struct TestCommand {
  std::string command;                                       // empty: none was found
  std::vector<std::pair<std::string, std::string>> programs; // that it takes, with Debian's packages of them
};

/// `kind` is one of project_kinds().
TestCommand find_tests(const std::string& directory, const std::string& kind);

} // namespace pyro::workspace
