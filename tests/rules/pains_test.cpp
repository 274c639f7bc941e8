// docs/pains.md: each pain has a test of its own, and each such test a pain.
#include "source_tree.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <regex>

namespace pyro::rules {

namespace {

/// Number → name: "P03NoSingleCommandStartsWaitsAndTells".
std::multimap<int, std::string> tests_of_pains() {
  const std::regex test(R"(TEST_F\(Pains\w+, (P(\d\d)\w+)\))");
  std::multimap<int, std::string> tests;
  for (const auto& file : sources_below({"tests"})) {
    for (std::sregex_iterator found(file.text.begin(), file.text.end(), test), end; found != end; ++found) {
      tests.emplace(std::stoi((*found)[2]), (*found)[1]);
    }
  }
  return tests;
}

std::multimap<int, std::string> listed_pains() {
  const std::regex row(R"(\| (\d+) \|.*\| `(\w+)` \|)");
  std::multimap<int, std::string> listed;
  const auto& files = all_files();
  const auto page = std::find_if(
      files.begin(), files.end(), [](const SourceFile& file) { return file.path == "docs/pains.md"; });
  if (page == files.end()) {
    return listed;
  }
  for (const auto& line : page->lines()) {
    if (std::smatch found; std::regex_match(line, found, row)) {
      listed.emplace(std::stoi(found[1]), found[2]);
    }
  }
  return listed;
}

} // namespace

TEST(Pains, EachHasItsTestAndEachTestItsPain) {
  constexpr int k_pains = 20;
  constexpr int k_runners_up = 7;
  const auto listed = listed_pains();
  EXPECT_EQ(listed, tests_of_pains());
  int number = 0;
  for (const auto& [known, name] : listed) {
    EXPECT_EQ(known, ++number) << name;
  }
  EXPECT_EQ(number, k_pains + k_runners_up);
}

} // namespace pyro::rules
