// Every flag that the program has is one that a case of `Flags` sees at work, and no case is of a flag that
// is gone. The list is the program's own, as its completion has it.
#include "flags.hpp"

#include <set>

namespace pyro::testing {
namespace {

using Words = std::vector<std::string>;

Words words_between(const std::string& text, std::size_t from, char end) {
  Words words{""};
  for (; from < text.size() && text[from] != end; ++from) {
    if (text[from] == ' ') {
      words.emplace_back();
    } else {
      words.back() += text[from];
    }
  }
  return words;
}

/// "workspace create" and "--mem-mib" as the name of their case.
std::string case_of(const std::string& command, const std::string& flag) {
  auto name = command + "__" + flag.substr(2);
  for (auto& c : name) {
    c = c == ' ' || c == '-' ? '_' : c;
  }
  return name;
}

/// How many of a command's flags come before the common ones, which are in the order of all common ones.
std::size_t own_flags(const Words& flags, const Words& common) {
  auto own = flags.size();
  auto at = common.rbegin();
  while (own > 0) {
    at = std::find(at, common.rend(), flags[own - 1]);
    if (at == common.rend()) {
      break;
    }
    ++at;
    --own;
  }
  return own;
}

/// The names that there should be. Of each command the script has a line with all of its flags, its own
/// before the common ones that it takes; and all common ones alone, for where no command is named yet.
std::set<std::string> wanted_cases(const std::string& script) {
  std::set<std::string> wanted;
  const std::string alone = "words=\"$words ";
  const auto at = script.find(alone);
  const auto common = at == std::string::npos ? Words{} : words_between(script, at + alone.size(), '"');
  for (const auto& flag : common) {
    wanted.insert(case_of("common", flag));
  }
  std::istringstream lines(script);
  for (std::string line; std::getline(lines, line);) {
    const auto flags_at = line.find(") words='--");
    const auto name_at = line.find('\'');
    if (flags_at == std::string::npos || name_at == std::string::npos) {
      continue;
    }
    const auto name = line.substr(name_at + 1, flags_at - name_at - 2);
    auto flags = words_between(line, line.find("'--") + 1, '\'');
    flags.resize(own_flags(flags, common));
    for (const auto& flag : flags) {
      wanted.insert(case_of(name, flag));
    }
  }
  return wanted;
}

std::set<std::string> cases_that_there_are() {
  std::set<std::string> names;
  const auto& all = *::testing::UnitTest::GetInstance();
  for (int i = 0; i < all.total_test_suite_count(); ++i) {
    const auto& suite = *all.GetTestSuite(i);
    for (int k = 0; std::string(suite.name()) == "Flags" && k < suite.total_test_count(); ++k) {
      names.insert(suite.GetTestInfo(k)->name());
    }
  }
  names.erase("EachHasACase");
  return names;
}

TEST_F(Flags, EachHasACase) {
  const auto wanted = wanted_cases(expect(0, {"completion", "bash"}).out);
  EXPECT_TRUE(wanted.contains("common__json") && wanted.contains("apply__no_wait")) << "not read right";
  EXPECT_GT(wanted.size(), 100U) << "not read right";
  const auto there = cases_that_there_are();
  for (const auto& name : wanted) {
    EXPECT_TRUE(there.contains(name)) << "a flag without a case: write TEST_F(Flags, " << name << ")";
  }
  for (const auto& name : there) {
    EXPECT_TRUE(wanted.contains(name)) << "a case without a flag: " << name;
  }
}

} // namespace
} // namespace pyro::testing
