#include <pyro/base/base64.hpp>
#include <pyro/base/error.hpp>

#include <gtest/gtest.h>

namespace pyro {
namespace {

// The examples of RFC 4648, section 10.
TEST(Base64, IsThatOfTheStandard) {
  const std::pair<std::string, std::string> examples[]{
      {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : examples) {
    EXPECT_EQ(base64_encode(bytes), text);
    EXPECT_EQ(base64_decode(text), bytes);
  }
}

TEST(Base64, EveryByteComesBack) {
  std::string bytes;
  for (int value = 0; value < 256; ++value) {
    bytes.push_back(static_cast<char>(value));
    EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
  }
}

TEST(Base64, NothingElseIsTaken) {
  for (const std::string& text : std::vector<std::string>{
           "Zg", "Zg=", "Zg===", "=Zg=", "Z===", "====", "Zg==Zg==", " Zg==", "Zg==\n", "Zm9\n", "Zm-v",
           "Zm9v\xff=="}) {
    EXPECT_THROW(base64_decode(text), Error) << text;
  }
}

} // namespace
} // namespace pyro
