#include <pyro/base/base64.hpp>
#include <pyro/operations/output_events.hpp>

#include <gtest/gtest.h>

namespace pyro::operations {
namespace {

std::vector<workspace::Event> events_of(const std::vector<std::string>& pieces) {
  std::vector<workspace::Event> events;
  OutputEvents stream("stdout", [&](const workspace::Event& event) { events.push_back(event); });
  for (const auto& piece : pieces) {
    stream.add(piece);
  }
  stream.add("");
  return events;
}

TEST(OutputEvents, TextIsPassedOnAsItComes) {
  const auto events = events_of({"one\n", "two"});
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].kind, "stdout");
  EXPECT_EQ(events[0].text, "one\n");
  EXPECT_TRUE(events[0].data.is_null());
  EXPECT_EQ(events[1].text, "two");
}

TEST(OutputEvents, ACharacterIsNeverCutInTwo) {
  const std::string text = "a\u00e4\u20ac\U0001f525z";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    std::string all;
    for (const auto& event : events_of({text.substr(0, cut), text.substr(cut)})) {
      EXPECT_TRUE(event.data.is_null()) << cut;
      all += event.text;
    }
    EXPECT_EQ(all, text) << cut;
  }
  std::vector<std::string> bytes;
  for (const char byte : text) {
    bytes.emplace_back(1, byte);
  }
  std::string all;
  for (const auto& event : events_of(bytes)) {
    EXPECT_TRUE(event.data.is_null());
    all += event.text;
  }
  EXPECT_EQ(all, text);
}

TEST(OutputEvents, BytesThatAreNoTextAreAllThere) {
  for (const std::string bytes :
       {"\xff", "a\xffz", "\xc3", "\xe2\x82", "\xf0\x9f\x94", "\x80\x80\x80\x80\x80", "\xc3(", "\xff\xc3"}) {
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
      std::string all;
      for (const auto& event : events_of({bytes.substr(0, cut), bytes.substr(cut)})) {
        all += event.data.is_null() ? event.text : base64_decode(get_string(event.data, "base64"));
      }
      EXPECT_EQ(all, bytes) << cut;
    }
  }
}

TEST(OutputEvents, NothingIsNoEvent) {
  EXPECT_EQ(events_of({}).size(), 0U);
  EXPECT_EQ(events_of({"", ""}).size(), 0U);
}

} // namespace
} // namespace pyro::operations
