#include <pyro/base/path_text.hpp>

#include <gtest/gtest.h>

namespace pyro {

TEST(PathText, BelowIsByWholeNames) {
  EXPECT_TRUE(is_below("/a/b", "/a"));
  EXPECT_TRUE(is_below("a/b/c", "a/b"));
  EXPECT_FALSE(is_below("/a", "/a"));
  EXPECT_FALSE(is_below("/ab", "/a"));
  EXPECT_FALSE(is_below("/a", "/a/b"));
}

TEST(PathText, AtOrBelowHasTheDirectoryToo) {
  EXPECT_TRUE(is_at_or_below("/a", "/a"));
  EXPECT_TRUE(is_at_or_below("/a/b", "/a"));
  EXPECT_FALSE(is_at_or_below("/ab", "/a"));
  EXPECT_FALSE(is_at_or_below("/", "/a"));
  EXPECT_TRUE(is_at_or_below("/a", "/")) << "everything lies below the root";
  EXPECT_TRUE(is_at_or_below("a/b", "")) << "and what is relative, below where it starts";
}

} // namespace pyro
