#include <pyro/workspace/apply/three_way.hpp>

#include <gtest/gtest.h>

#include <map>

namespace pyro::workspace {
namespace {

using Names = std::vector<std::string>;

TEST(ThreeWay, WhatNobodyTouchedInsideFollowsTheOutside) {
  EXPECT_EQ(decide({.is_wanted = true, .same_as_before = true}), SyncStep::take);
  EXPECT_EQ(decide({.is_wanted = false, .same_as_before = true}), SyncStep::remove);
}

TEST(ThreeWay, WhatIsThereAlreadyNeedsNothing) {
  EXPECT_EQ(decide({.is_wanted = true, .same_as_wanted = true}), SyncStep::nothing);
  EXPECT_EQ(decide({.is_wanted = false, .same_as_wanted = true}), SyncStep::nothing)
      << "deleted on both sides";
  EXPECT_EQ(decide({.is_wanted = true, .same_as_before = true, .same_as_wanted = true}), SyncStep::nothing);
}

TEST(ThreeWay, WhatIsNeitherIsAConflict) {
  EXPECT_EQ(decide({.is_wanted = true}), SyncStep::conflict);
  EXPECT_EQ(decide({.is_wanted = false}), SyncStep::conflict) << "edited inside, deleted outside";
}

TEST(ThreeWay, ModesOfTheInsideWinWhereTheyWereChangedThere) {
  EXPECT_EQ(merged_mode(0644, 0755, 0644), 0755U);
  EXPECT_EQ(merged_mode(0644, 0644, 0600), 0600U);
  EXPECT_EQ(merged_mode(0644, 0755, 0600), 0600U);
  EXPECT_EQ(merged_mode(0100644, 0104755, 0100644), 0755U);
}

TEST(ThreeWay, DirectoriesThatHoldNothingAnyMoreGoDeepestFirst) {
  const std::map<std::string, Names> tree{
      {"a", {"b", "x"}}, {"a/b", {"c"}}, {"a/b/c", {"one", "two"}}, {"d", {"e"}}, {"d/e", {"one"}}};
  const auto emptied = [&](const std::set<std::string>& removed, const std::string& kept = "") {
    return emptied_directories(
        removed, [&](const std::string& directory) { return tree.at(directory); },
        [&](const std::string& directory) { return directory == kept; });
  };
  EXPECT_EQ(emptied({"a/b/c/one"}), Names{});
  EXPECT_EQ(emptied({"a/b/c/one", "a/b/c/two"}), (Names{"a/b/c", "a/b"})) << "a/x keeps a";
  EXPECT_EQ(emptied({"a/b/c/one", "a/b/c/two", "a/x"}), (Names{"a/b/c", "a/b", "a"}));
  EXPECT_EQ(emptied({"a/b/c/one", "a/b/c/two", "a/x"}, "a/b"), (Names{"a/b/c"}));
  EXPECT_EQ(emptied({"d/e/one"}), (Names{"d/e", "d"}));
  EXPECT_EQ(emptied({"top"}), Names{});
}

TEST(ThreeWay, BelowIsByWholeNames) {
  EXPECT_TRUE(is_below_any({"a"}, "a/b/c"));
  EXPECT_TRUE(is_below_any({"a/b"}, "a/b/c"));
  EXPECT_FALSE(is_below_any({"a"}, "a"));
  EXPECT_FALSE(is_below_any({"a"}, "ab/c"));
}

} // namespace
} // namespace pyro::workspace
