#include <pyro/base/text.hpp>

#include <gtest/gtest.h>

namespace pyro {
namespace {

using Lines = std::vector<std::string_view>;
using Strings = std::vector<std::string>;

TEST(Text, LinesEndWithOrWithoutANewline) {
  EXPECT_EQ(lines_of(""), Lines{});
  EXPECT_EQ(lines_of("\n"), Lines{""});
  EXPECT_EQ(lines_of("one"), Lines{"one"});
  EXPECT_EQ(lines_of("one\n\ntwo\n"), (Lines{"one", "", "two"}));
}

TEST(Text, LastLinesAreTheNewestOldestFirst) {
  EXPECT_EQ(last_lines("a\nb\nc\n", 2), (Strings{"b", "c"}));
  EXPECT_EQ(last_lines("a\nb", 5), (Strings{"a", "b"}));
  EXPECT_EQ(last_lines(""), Strings{});
}

TEST(Text, FieldsMayBeEmpty) {
  EXPECT_EQ(fields_of("a::b", ':'), (Strings{"a", "", "b"}));
  EXPECT_EQ(fields_of("a:", ':'), (Strings{"a", ""}));
  EXPECT_EQ(fields_of("", ':'), Strings{""});
}

TEST(Text, OnlyTheLettersOfASCIIHaveACase) {
  EXPECT_EQ(lower_case("Example.ORG-09_@["), "example.org-09_@[");
  EXPECT_EQ(lower_case("\xc3\x84"), "\xc3\x84");
  EXPECT_EQ(lower_case(""), "");
}

} // namespace
} // namespace pyro
