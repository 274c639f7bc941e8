#include <pyro/os/byte_pump.hpp>
#include <pyro/os/event_loop.hpp>
#include <pyro/os/unix_socket.hpp>

#include <gtest/gtest.h>

namespace pyro::os {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(EventLoop, WhatWasPostedIsNotWaitedFor) {
  EventLoop loop;
  bool done = false;
  loop.post([&] { done = true; });
  const auto begin = std::chrono::steady_clock::now();
  loop.turn(seconds(20));
  EXPECT_TRUE(done);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(10));
}

/// The other side has gone before the first byte: this is found out by writing, not by waiting for an answer.
TEST(EventLoop, APumpWhosePeerIsGoneEndsAtOnce) {
  EventLoop loop;
  auto [ours, theirs] = socket_pair();
  std::string output = "request";
  bool closed = false;
  BytePump::Callbacks callbacks;
  callbacks.on_bytes = [](std::string_view) {
  };
  callbacks.pull = [&] {
    return std::exchange(output, {});
  };
  callbacks.on_closed = [&](const Error*) {
    closed = true;
  };
  BytePump pump(loop, std::move(ours), std::move(callbacks));
  theirs.reset();
  const auto begin = std::chrono::steady_clock::now();
  while (!closed && std::chrono::steady_clock::now() - begin < seconds(20)) {
    loop.turn(seconds(20));
  }
  EXPECT_TRUE(closed);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(10));
}

} // namespace
} // namespace pyro::os
