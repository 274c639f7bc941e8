#include <pyro/base/json_access.hpp>
#include <pyro/base/safe_text.hpp>

#include <gtest/gtest.h>

namespace pyro {
namespace {

std::string utf8(char32_t code) {
  std::string text;
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xC0 | (code >> 6));
  } else if (code < 0x10000) {
    text += static_cast<char>(0xE0 | (code >> 12));
  } else {
    text += static_cast<char>(0xF0 | (code >> 18));
    text += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
  }
  if (code >= 0x800) {
    text += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
  }
  if (code >= 0x80) {
    text += static_cast<char>(0x80 | (code & 0x3F));
  }
  return text;
}

bool is_plain_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
}

TEST(SafeText, EveryCharacterIsEitherShownOrEscaped) {
  for (char32_t code = 0; code <= 0x10FFFF; ++code) {
    if (code >= 0xD800 && code <= 0xDFFF) {
      continue;
    }
    const auto character = utf8(code);
    const auto safe = escape_controls(character);
    if (is_hidden_character(code)) {
      ASSERT_TRUE(is_plain_ascii(safe)) << std::hex << static_cast<unsigned>(code);
      ASSERT_GE(safe.size(), 2U);
    } else {
      ASSERT_EQ(safe, character) << std::hex << static_cast<unsigned>(code);
    }
    ASSERT_EQ(escape_controls(safe), safe) << "escaping twice changes nothing";
    const auto json = dump_json(Json(character));
    ASSERT_EQ(Json::parse(json), Json(character)) << json;
    if (is_hidden_character(code)) {
      ASSERT_TRUE(is_plain_ascii(json.substr(0, json.size() - 1))) << json;
    }
  }
}

TEST(SafeText, WhatDrivesOrReordersIsHidden) {
  for (char32_t code = 0x80; code <= 0x9F; ++code) {
    EXPECT_TRUE(is_hidden_character(code));
  }
  for (const char32_t code :
       {0x1B,   0x07,   0x7F,   0x061C, 0x200E, 0x200F, 0x202A, 0x202B, 0x202C, 0x202D,  0x202E,
        0x2066, 0x2067, 0x2068, 0x2069, 0x200B, 0x2060, 0x2028, 0x2029, 0xFEFF, 0xE0001, 0xE0041}) {
    EXPECT_TRUE(is_hidden_character(code)) << std::hex << static_cast<unsigned>(code);
  }
  for (const char32_t code : {0x09, 0x20, 0x41, 0xE9, 0x20AC, 0x200C, 0x200D, 0x1F600}) {
    EXPECT_FALSE(is_hidden_character(code)) << std::hex << static_cast<unsigned>(code);
  }
}

TEST(SafeText, OneStyle) {
  EXPECT_EQ(escape_controls("a\r\nb\x1b[31m\tc"), "a\\r\\nb\\x1b[31m\tc");
  EXPECT_EQ(
      escape_controls("\xC2\x9B"
                      "0m"),
      "\\u009b0m");
  EXPECT_EQ(escape_controls("\xE2\x80\xAEtxt"), "\\u202etxt");
  EXPECT_EQ(escape_controls("\xF3\xA0\x80\x81"), "\\U000e0001");
  EXPECT_EQ(escape_lines("a\nb\x07"), "a\nb\\x07");
  EXPECT_EQ(
      escape_painted("\x1b[1;31mred\x1b[0m\n\x1b[2J\x1b]0;t\x07"),
      "\x1b[1;31mred\x1b[0m\n\\x1b[2J\\x1b]0;t\\x07");
}

/// Raw bytes of the C1 set, overlong forms, surrogates, what is cut off: each byte by itself.
TEST(SafeText, BytesThatAreNoCharacters) {
  for (int byte = 0x80; byte <= 0xFF; ++byte) {
    const std::string text(1, static_cast<char>(byte));
    EXPECT_TRUE(is_plain_ascii(escape_controls(text)));
    EXPECT_EQ(escape_painted("a" + text + "b").front(), 'a');
    EXPECT_EQ(to_utf8(text), "\xEF\xBF\xBD");
  }
  EXPECT_EQ(
      escape_controls("\x9b"
                      "31m"),
      "\\x9b31m");
  EXPECT_EQ(escape_controls("\xC0\x9B"), "\\xc0\\x9b");
  EXPECT_EQ(escape_controls("\xED\xA0\x80"), "\\xed\\xa0\\x80");
  EXPECT_EQ(escape_controls("\xF4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
  EXPECT_EQ(escape_controls("\xE2\x80"), "\\xe2\\x80");
}

TEST(SafeText, WorkflowCommands) {
  EXPECT_EQ(escape_workflow_commands("::set-output name=a::b\n"), "\\x3a:set-output name=a::b\n");
  EXPECT_EQ(escape_workflow_commands("ok\n  \t::add-mask::x"), "ok\n  \t\\x3a:add-mask::x");
  EXPECT_EQ(escape_workflow_commands("a ##[add-path]b ##[x]"), "a #\\x23[add-path]b #\\x23[x]");
  EXPECT_EQ(escape_workflow_commands("std::string is fine\n\n"), "std::string is fine\n\n");
  EXPECT_EQ(escape_workflow_commands(""), "");
}

} // namespace
} // namespace pyro
