#include <pyro/base/error.hpp>
#include <pyro/node/call.hpp>
#include <pyro/node/frame.hpp>

#include <gtest/gtest.h>

namespace pyro::node {
namespace {

using Frames = std::vector<std::pair<FrameKind, Json>>;

TEST(NodeFrame, ComesThroughInPieces) {
  const auto bytes =
      encode_frame(FrameKind::event, {{"text", "one"}}) + encode_frame(FrameKind::result, nullptr);
  Frames frames;
  FrameDecoder decoder([&](FrameKind kind, Json body) { frames.emplace_back(kind, std::move(body)); });
  for (const char octet : bytes) {
    decoder.feed({&octet, 1});
  }
  EXPECT_EQ(frames, (Frames{{FrameKind::event, {{"text", "one"}}}, {FrameKind::result, nullptr}}));
}

TEST(NodeFrame, IsRefusedWhereItIsNone) {
  using namespace std::string_literals;
  for (const auto& bytes : {"x\0\0\0\1{"s, "e\xff\xff\xff\xff{"s, "e\0\0\0\1{"s, "e\0\0\0\0"s}) {
    FrameDecoder decoder([](FrameKind, const Json&) {});
    EXPECT_THROW(decoder.feed(bytes), Error) << bytes;
  }
}

TEST(NodeCall, TravelsWhole) {
  operations::ExecRequest request;
  request.argv = {"a", "b c"};
  request.env = {{"X", "1"}};
  request.tty = true;
  request.timeout = std::chrono::milliseconds(5);
  Call call;
  call.kind = CallKind::exec;
  call.parameters = {{"workspace", "w"}};
  call.request = to_json(request);
  call.can_ask = true;
  const auto again = call_from_json(Json::parse(to_json(call).dump()));
  EXPECT_EQ(to_json(again), to_json(call));
  EXPECT_EQ(to_json(exec_request_from_json(again.request)), call.request);
  EXPECT_THROW(call_from_json({{"kind", "other"}}), Error);
  EXPECT_THROW(call_from_json(Json::array()), std::exception);
}

} // namespace
} // namespace pyro::node
