#include <pyro/operations/output_capture.hpp>
#include <pyro/os/fd.hpp>

#include <gtest/gtest.h>

namespace pyro::operations {

TEST(OutputCapture, KeepsAllThatFits) {
  OutputCapture capture(1024);
  os::write_all(capture.descriptor(), "one\n");
  os::write_all(capture.descriptor(), "two\n");
  capture.finish();
  EXPECT_EQ(capture.text(), "one\ntwo\n");
  EXPECT_FALSE(capture.truncated());
}

TEST(OutputCapture, KeepsBeginningAndEndOfMore) {
  OutputCapture capture(20);
  os::write_all(capture.descriptor(), "the beginning " + std::string(1 << 20, 'x') + " the end");
  capture.finish();
  EXPECT_TRUE(capture.truncated());
  EXPECT_LT(capture.text().size(), 100U);
  EXPECT_EQ(capture.text().substr(0, 11), "the beginni");
  EXPECT_EQ(capture.text().substr(capture.text().size() - 11), "xxx the end");
}

TEST(OutputCapture, NoTextIsNoInput) {
  EXPECT_FALSE(text_as_input("").valid());
  const auto file = text_as_input("hello");
  EXPECT_EQ(os::read_all(file.get(), 100), "hello");
}

} // namespace pyro::operations
