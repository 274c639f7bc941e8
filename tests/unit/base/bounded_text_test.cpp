#include <pyro/base/bounded_text.hpp>

#include <gtest/gtest.h>

namespace pyro {
namespace {

TEST(BoundedText, KeepsAllOfWhatFits) {
  BoundedText text(10);
  text.add("hello");
  text.add(" you");
  EXPECT_EQ(text.text(), "hello you");
  EXPECT_FALSE(text.truncated());
}

TEST(BoundedText, KeepsBeginningAndEndOfMore) {
  BoundedText text(8); // halves of 5
  text.add("begin");
  for (int i = 0; i < 100; ++i) {
    text.add("middle");
  }
  text.add("fin");
  EXPECT_TRUE(text.truncated());
  EXPECT_EQ(text.text(), "begin\n[… 598 bytes left out …]\nlefin");
}

TEST(BoundedText, OneLargePieceIsBoundedToo) {
  BoundedText text(8);
  text.add("aaa" + std::string(1000, 'b') + "end");
  EXPECT_EQ(text.text(), "aaabb\n[… 996 bytes left out …]\nbbend");
}

} // namespace
} // namespace pyro
