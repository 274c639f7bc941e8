// Documents that would exhaust the stack of whoever copies or writes them are none.
#include <pyro/base/error.hpp>
#include <pyro/base/json_text.hpp>

#include <gtest/gtest.h>

namespace pyro {
namespace {

std::string nested(int depth, const std::string& open, const std::string& close) {
  std::string text;
  for (int level = 0; level < depth; ++level) {
    text += open;
  }
  text += "0";
  for (int level = 0; level < depth; ++level) {
    text += close;
  }
  return text;
}

TEST(JsonText, OfAnyDepthIsBoundedByBothReaders) {
  for (const auto& [open, close] :
       {std::pair("[", "]"), std::pair("{\"a\":", "}"), std::pair(" [ ", " ] ")}) {
    EXPECT_EQ(
        parse_json(nested(k_max_json_depth, open, close), "it").dump(),
        maybe_parse_json(nested(k_max_json_depth, open, close))->dump());
    for (const int depth : {k_max_json_depth + 1, 1'000'000}) {
      const auto text = nested(depth, open, close);
      EXPECT_FALSE(maybe_parse_json(text)) << open << depth;
      try {
        parse_json(text, "a document");
        ADD_FAILURE() << open << depth;
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::protocol);
        EXPECT_NE(error.message().find("levels deep"), std::string::npos) << error.what();
      }
    }
  }
}

TEST(JsonText, BracketsInStringsAreNoDepth) {
  const auto text = "[\"" + std::string(1000, '[') + "\\\"" + std::string(1000, '{') + "\\\\\", []]";
  ASSERT_TRUE(maybe_parse_json(text));
  EXPECT_EQ(maybe_parse_json(text)->size(), 2U);
}

TEST(JsonText, WhatIsNoneIsSaid) {
  for (const char* text : {"", "[", "]]]]", "\"", "\"\\", "1e999", "{\"a\":1}x", "\xff"}) {
    EXPECT_FALSE(maybe_parse_json(text)) << text;
    EXPECT_THROW(parse_json(text, "it"), Error) << text;
  }
}

} // namespace
} // namespace pyro
