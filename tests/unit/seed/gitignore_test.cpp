#include "git_fixture.hpp"

#include <pyro/seed/gitignore.hpp>

#include <algorithm>
#include <random>

namespace pyro::seed {

namespace {

using testing::Scratch;

struct Case {
  const char* pattern;
  const char* path;
  bool directory;
  Match expected;
};

TEST(Gitignore, KnownCases) {
  const std::vector<Case> cases{
      {"*.log", "a/b/x.log", false, Match::ignored},
      {"/x", "x", false, Match::ignored},
      {"/x", "a/x", false, Match::none},
      {"a/x", "b/a/x", false, Match::none},
      {"dir/", "dir", false, Match::none},
      {"dir/", "a/dir", true, Match::ignored},
      {"**/x/y", "x/y", false, Match::ignored},
      {"a/**/b", "a/b", false, Match::ignored},
      {"a/**/b", "a/x/y/b", false, Match::ignored},
      {"a/**", "a", true, Match::none},
      {"a/*", "a/b/c", false, Match::none},
      {"\\!x", "!x", false, Match::ignored},
      {"\\#x", "#x", false, Match::ignored},
      {"x\\ ", "x ", false, Match::ignored},
      {"x   ", "x", false, Match::ignored},
      {"[a-c]x", "bx", false, Match::ignored},
      {"[!a-c]x", "bx", false, Match::none},
      {"[[:digit:]]", "7", false, Match::ignored},
      {"[", "[", false, Match::none},
      {"!keep", "keep", false, Match::included},
  };
  for (const auto& item : cases) {
    IgnoreList list(item.pattern, "");
    std::string_view path = item.path;
    EXPECT_EQ(list.match(path, path.substr(path.rfind('/') + 1), item.directory), item.expected)
        << item.pattern << " on " << item.path;
  }
}

TEST(Gitignore, LastMatchWinsAndDeeperFilesAreStronger) {
  IgnoreRules rules;
  rules = rules.with(std::make_shared<IgnoreList>("*.o\n!keep.o\n", ""));
  EXPECT_EQ(rules.match("a/keep.o", "keep.o", false), Match::included);
  rules = rules.with(std::make_shared<IgnoreList>("keep.o", "a"));
  EXPECT_EQ(rules.match("a/keep.o", "keep.o", false), Match::ignored);
  EXPECT_EQ(rules.match("b/keep.o", "keep.o", false), Match::included);
}

TEST(Gitignore, PathologicalPatternsEnd) {
  std::string pattern;
  for (int i = 0; i < 60; ++i) {
    pattern += "*a";
  }
  EXPECT_FALSE(wild_match(pattern + "b", std::string(4000, 'a'), Slashes::ordinary));
}

class GitignoreProperty : public Scratch {};

/// Random trees and random ignore files: our verdict on every path is git's.
TEST_F(GitignoreProperty, AgreesWithGit) {
  std::mt19937 random(20261120);
  auto pick = [&](const auto& from) {
    return from[random() % from.size()];
  };
  const std::vector<std::string> names{"a", "b", "ab", "foo", "bar", "x.o", "y.log", "a.b", "-", "[x]", "A1"};
  const std::vector<std::string> parts{
      "a",  "b",     "ab",  "foo",          "*",   "**",  "?",     "*.o", "[ab]*", "[!a]", "f*o",
      "a*", "x.[o]", "\\a", "[[:upper:]]*", "*.*", "**a", "foo**", "[a-", "\\["};
  for (int round = 0; round < 25; ++round) {
    std::string root = m_root + "/" + std::to_string(round);
    std::vector<std::pair<std::string, bool>> paths;
    std::set<std::string> directories{""};
    std::vector<std::string> existing{""};
    for (int i = 0; i < 40; ++i) {
      std::string parent = pick(existing);
      std::string path = parent.empty() ? pick(names) : parent + "/" + pick(names);
      if (std::filesystem::exists(root + "/" + path)) {
        continue;
      }
      if (random() % 2 == 0) {
        std::filesystem::create_directories(root + "/" + path);
        existing.push_back(path);
        paths.emplace_back(path, true);
      } else {
        write(std::to_string(round) + "/" + path, "");
        paths.emplace_back(path, false);
      }
    }
    auto random_list = [&] {
      std::string text;
      for (auto lines = random() % 5 + 1; lines > 0; --lines) {
        std::string line = random() % 4 == 0 ? "!" : "";
        line += random() % 4 == 0 ? "/" : "";
        for (auto pieces = random() % 3 + 1; pieces > 0; --pieces) {
          line += pick(parts) + (pieces > 1 ? "/" : "");
        }
        line += random() % 4 == 0 ? "/" : "";
        text += line + (random() % 6 == 0 ? "  \n" : "\n");
      }
      return text;
    };
    git({"init", "-q", root});
    std::map<std::string, std::string> lists;
    lists[""] = random_list();
    for (int i = 0; i < 3; ++i) {
      lists[pick(existing)] = random_list();
    }
    for (const auto& [directory, text] : lists) {
      write(std::to_string(round) + "/" + (directory.empty() ? "" : directory + "/") + ".gitignore", text);
    }
    std::string info = random_list();
    std::ofstream(root + "/.git/info/exclude") << info;

    std::string input;
    for (const auto& [path, directory] : paths) {
      input += path + '\0';
    }
    std::string answer = git({"check-ignore", "--no-index", "-z", "--stdin"}, input, root);
    std::set<std::string> ignored_by_git;
    for (std::size_t begin = 0; begin < answer.size();) {
      auto end = answer.find('\0', begin);
      ignored_by_git.insert(answer.substr(begin, end - begin));
      begin = end + 1;
    }
    for (const auto& [path, directory] : paths) {
      // Component by component, as a walk does: below an ignored directory all is ignored.
      IgnoreRules rules;
      rules = rules.with(std::make_shared<IgnoreList>(info, ""));
      bool ignored = false;
      std::string above;
      for (std::size_t begin = 0; begin <= path.size() && !ignored;) {
        auto end = std::min(path.find('/', begin), path.size());
        if (lists.contains(above)) {
          rules = rules.with(std::make_shared<IgnoreList>(lists[above], above));
        }
        std::string name = path.substr(begin, end - begin);
        above = path.substr(0, end);
        ignored = rules.match(above, name, end < path.size() || directory) == Match::ignored;
        begin = end + 1;
      }
      std::string all;
      for (const auto& [where, text] : lists) {
        all += "[" + where + "]\n" + text;
      }
      EXPECT_EQ(ignored, ignored_by_git.contains(path)) << path << " with\n[info]\n" << info << all;
    }
  }
}

} // namespace

} // namespace pyro::seed
