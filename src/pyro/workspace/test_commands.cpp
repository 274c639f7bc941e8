#include "test_commands.hpp"

#include <pyro/workspace/dependency_files.hpp>
#include <pyro/workspace/python_requirements.hpp>

#include <algorithm>
#include <filesystem>
#include <regex>

namespace pyro::workspace {

namespace {

namespace fs = std::filesystem;

bool has_name(const std::string& directory, const std::string& place, const std::regex& pattern) {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(fs::path(directory) / place, none)) {
    if (std::regex_match(entry.path().filename().string(), pattern)) {
      return true;
    }
  }
  return false;
}

bool says(const std::string& directory, const std::string& file, std::string_view text) {
  return text_of_file(directory, file).find(text) != std::string::npos;
}

/// The directory of tests that has such a file; "." is the project's own.
std::string place_of(const std::string& directory, const std::regex& pattern) {
  for (const char* place : {"tests", "test", "."}) {
    if (has_name(directory, place, pattern)) {
      return place;
    }
  }
  return "";
}

bool uses_pytest(const std::string& directory, const std::string& place) {
  std::error_code none;
  const auto package = python_package(directory);
  const auto& requirements = package.requirements;
  if (std::any_of(
          requirements.begin(), requirements.end(),
          [](const auto& one) { return requirement_name(one) == "pytest"; })
      || says(directory, "pyproject.toml", "[tool.pytest") || says(directory, "setup.cfg", "[tool:pytest]")) {
    return true;
  }
  for (const char* sign : {"pytest.ini", "conftest.py", "tests/conftest.py", "test/conftest.py"}) {
    if (fs::is_regular_file(fs::path(directory) / sign, none)) {
      return true;
    }
  }
  for (const auto& entry : fs::directory_iterator(fs::path(directory) / place, none)) {
    const auto name = (fs::path(place) / entry.path().filename()).string();
    if (name.ends_with(".py") && says(directory, name, "import pytest")) {
      return true;
    }
  }
  return false;
}

std::string python_tests(const std::string& directory) {
  static const std::regex s_tests(R"(test_.*\.py|.*_test\.py)");
  const auto place = place_of(directory, s_tests);
  if (place.empty()) {
    return "";
  }
  return uses_pytest(directory, place) ? "python3 -m pytest"
         : place == "."                ? "python3 -m unittest"
                                       : "python3 -m unittest discover -s " + place;
}

/// Of any kind of project: what is in its directory of tests.
TestCommand tests_by_their_files(const std::string& directory) {
  static const std::regex s_bats(R"(.*\.bats)");
  if (const auto place = place_of(directory, s_bats); !place.empty()) {
    return {"bats " + place, {{"bats", "bats"}}};
  }
  if (const auto command = python_tests(directory); !command.empty()) {
    const bool is_pytest = command == "python3 -m pytest";
    return {command, {is_pytest ? std::pair{"pytest-3", "python3-pytest"} : std::pair{"python3", "python3"}}};
  }
  std::error_code none;
  for (const char* script :
       {"tests/run.sh", "tests/test.sh", "tests/all.sh", "test/run.sh", "test/test.sh", "test.sh",
        "run-tests.sh", "run_tests.sh"}) {
    if (fs::is_regular_file(fs::path(directory) / script, none)) {
      const auto text = text_of_file(directory, script);
      const bool is_bash = text.starts_with("#!") && text.substr(0, text.find('\n')).ends_with("bash");
      return {(is_bash ? "bash " : "sh ") + std::string(script), {}};
    }
  }
  return {};
}

TestCommand make_tests(const std::string& directory) {
  static const std::regex s_bats(R"(.*\.bats)");
  for (const char* file : {"GNUmakefile", "makefile", "Makefile"}) {
    const auto text = "\n" + text_of_file(directory, file);
    for (const char* target : {"test", "check"}) {
      if (text.find(std::string("\n") + target + ":") != std::string::npos) {
        TestCommand tests{std::string("make ") + target, {{"make", "make"}}};
        if (!place_of(directory, s_bats).empty()) {
          tests.programs.emplace_back("bats", "bats");
        }
        return tests;
      }
    }
  }
  return {};
}

} // namespace

TestCommand find_tests(const std::string& directory, const std::string& kind) {
  TestCommand tests;
  if (kind == "node") {
    const auto scripts = node_package(directory).scripts;
    const auto found = scripts.find("test");
    // what `npm init` writes where there are none
    if (found != scripts.end() && found->second.find("no test specified") == std::string::npos) {
      tests.command = "npm test";
    }
  } else if (kind == "python") {
    tests.command = python_tests(directory);
  } else if (kind == "cmake") {
    if (says(directory, "CMakeLists.txt", "enable_testing(")
        || says(directory, "CMakeLists.txt", "include(CTest)")) {
      tests.command = "ctest --test-dir build --output-on-failure";
    }
  } else if (kind == "go") {
    tests.command = "go test ./...";
  } else if (kind == "rust") {
    tests.command = "cargo test";
  } else if (kind == "make") {
    tests = make_tests(directory);
  }
  return tests.command.empty() ? tests_by_their_files(directory) : tests;
}

} // namespace pyro::workspace
