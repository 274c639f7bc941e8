#include <pyro/base/error.hpp>
#include <pyro/protocol/message.hpp>

#include <gtest/gtest.h>

namespace pyro::protocol {
namespace {

using Frames = std::vector<std::pair<FrameType, std::string>>;

Frames decode(std::string_view bytes, std::size_t step) {
  Frames frames;
  FrameDecoder decoder(
      [&](FrameType type, std::string_view payload) { frames.emplace_back(type, std::string(payload)); });
  for (std::size_t i = 0; i < bytes.size(); i += step) {
    decoder.feed(bytes.substr(i, step));
  }
  EXPECT_TRUE(decoder.at_boundary());
  return frames;
}

TEST(Frames, AreTheSameHoweverTheyAreCut) {
  auto bytes = encode_frame(FrameType::json, R"({"a":1})") + encode_frame(FrameType::end_in, "")
               + encode_frame(FrameType::result, "{}") + encode_frame(FrameType::json, "");
  Frames expected{
      {FrameType::json, R"({"a":1})"},
      {FrameType::end_in, ""},
      {FrameType::result, "{}"},
      {FrameType::json, ""}};
  for (std::size_t step : {1U, 2U, 3U, 5U, 7U, 100U}) {
    EXPECT_EQ(decode(bytes, step), expected) << "step " << step;
  }
}

TEST(Frames, HandDataOnAsItComes) {
  auto bytes = encode_frame(FrameType::data_out, "abcdef");
  EXPECT_EQ(decode(bytes, 100).size(), 1U);
  std::string joined;
  for (auto& [type, piece] : decode(bytes, 2)) {
    EXPECT_EQ(type, FrameType::data_out);
    joined += piece;
  }
  EXPECT_EQ(joined, "abcdef");
  EXPECT_TRUE(decode(encode_frame(FrameType::data_in, ""), 5).empty());
}

TEST(Frames, HaveLimits) {
  EXPECT_THROW(encode_frame(FrameType::data_in, std::string(k_max_data + 1, 'x')), Error);
  EXPECT_THROW(encode_frame(FrameType::json, std::string(k_max_json + 1, 'x')), Error);
  EXPECT_NO_THROW(encode_frame(FrameType::json, std::string(k_max_json, 'x')));
  auto refuse = [](std::string_view header) {
    FrameDecoder decoder([](FrameType, std::string_view) {});
    try {
      decoder.feed(header);
      return false;
    } catch (const Error& error) {
      return error.code() == ErrorCode::protocol;
    }
  };
  EXPECT_TRUE(refuse({"\x00\xff\xff\xff\xff", 5}));
  EXPECT_TRUE(refuse({"\x01\x00\x01\x00\x01", 5}));
  EXPECT_TRUE(refuse({"\x07\x00\x00\x00\x00", 5}));
  EXPECT_TRUE(refuse({"\x04\x00\x00\x00\x01", 5}));
}

TEST(Frames, KnowWhenTheyAreCutOff) {
  FrameDecoder decoder([](FrameType, std::string_view) {});
  EXPECT_TRUE(decoder.at_boundary());
  decoder.feed({"\x00\x00", 2});
  EXPECT_FALSE(decoder.at_boundary());
  decoder.feed({"\x00\x00\x02{", 4});
  EXPECT_FALSE(decoder.at_boundary());
  decoder.feed("}");
  EXPECT_TRUE(decoder.at_boundary());
}

} // namespace
} // namespace pyro::protocol
