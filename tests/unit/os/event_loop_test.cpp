#include <pyro/os/byte_pump.hpp>
#include <pyro/os/event_loop.hpp>
#include <pyro/os/unix_socket.hpp>

#include <gtest/gtest.h>

namespace pyro::os {
namespace {

/// Who waits for it is ended by CTest.
constexpr std::chrono::hours k_longer_than_a_test{1};

TEST(EventLoop, WhatWasPostedIsNotWaitedFor) {
  EventLoop loop;
  bool done = false;
  loop.post([&] { done = true; });
  loop.turn(k_longer_than_a_test);
  EXPECT_TRUE(done);
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
  while (!closed) {
    loop.turn(k_longer_than_a_test);
  }
}

} // namespace
} // namespace pyro::os
