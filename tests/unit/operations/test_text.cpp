#include <pyro/operations/text.hpp>

#include <gtest/gtest.h>

namespace pyro::operations {

TEST(Text, InvalidUtf8BecomesReplacements) {
  EXPECT_EQ(to_utf8("gr\xC3\xBC\xC3\x9F"), "gr\xC3\xBC\xC3\x9F");
  EXPECT_EQ(to_utf8("a\xFF\xC0\x80z"), "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz");
  EXPECT_EQ(to_utf8("cut \xE2\x82"), "cut \xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(to_utf8("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD") << "a surrogate is no character";
}

TEST(Text, ControlsAreShownNotSent) {
  EXPECT_EQ(escape_controls("\x1b[31mred\x1b[0m\tx"), "\\x1b[31mred\\x1b[0m\tx");
  EXPECT_EQ(escape_controls("a\r\nb"), "a\\r\\nb");
  EXPECT_EQ(
      escape_controls("\xC2\x9B"
                      "31m"),
      "\\u009b31m")
      << "the one-character CSI";
  EXPECT_EQ(escape_controls("\xC3\xBC \xE2\x82\xAC"), "\xC3\xBC \xE2\x82\xAC");
}

} // namespace pyro::operations
