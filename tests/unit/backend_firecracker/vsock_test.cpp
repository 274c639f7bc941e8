// The handshake of Firecracker's vsock: against the fake with a real agent behind it, and against sockets
// that answer badly.
#include "agent_call.hpp"
#include "fake.hpp"

#include <pyro/backend/firecracker/vsock_channel.hpp>
#include <pyro/os/unix_socket.hpp>

#include <poll.h>
#include <thread>

namespace pyro::backend::firecracker {
namespace {

using std::chrono::milliseconds;
using Vsocket = WithFake;

TEST_F(Vsocket, ReachesTheAgent) {
  client().send_all(boot_requests(machine()));
  EXPECT_EQ(
      run_inside(connect_vsock(path("v.sock"), 1024, milliseconds(10000)), {"echo", "hello"}), "hello\n");
}

TEST_F(Vsocket, WaitsForTheGuestToListen) {
  auto slow = machine();
  slow.boot_args += " fake.boot_ms=300";
  client().send_all(boot_requests(slow));
  int asked = 0;
  EXPECT_TRUE(connect_vsock(path("v.sock"), 1024, milliseconds(10000), [&] { ++asked; }));
  EXPECT_GT(asked, 3);
}

TEST_F(Vsocket, GivesUpInTime) {
  client().send_all(boot_requests(machine()));
  try {
    connect_vsock(path("v.sock"), 77, milliseconds(100));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::timeout);
    EXPECT_NE(std::string(error.what()).find("port 77"), std::string::npos) << error.what();
  }
  EXPECT_THROW(connect_vsock(path("none.sock"), 77, milliseconds(30)), Error);
}

TEST_F(Vsocket, StopsWhenTheMachineHasEnded) {
  client().send_all(boot_requests(machine()));
  EXPECT_THROW(
      connect_vsock(path("v.sock"), 77, milliseconds(10000), [] { throw Error(ErrorCode::failed, "gone"); }),
      Error);
}

/// The first answer is `text`, then the connection stays open.
ErrorCode code_for_answer(const std::string& socket_path, const std::string& text, milliseconds limit) {
  const auto listener = os::listen_unix(socket_path);
  std::thread other([&] {
    pollfd waiting{listener.get(), POLLIN, 0};
    ::poll(&waiting, 1, 5000);
    const auto socket = os::accept_unix(listener.get());
    os::write_all(socket->get(), text);
    waiting = {socket->get(), POLLHUP, 0};
    while ((waiting.revents & POLLHUP) == 0 && ::poll(&waiting, 1, 5000) > 0) {
    }
  });
  auto code = ErrorCode::internal;
  try {
    std::ignore = connect_vsock(socket_path, 5, limit);
  } catch (const Error& error) {
    code = error.code();
  }
  other.join();
  return code;
}

TEST_F(Vsocket, RubbishIsRefusedAndBounded) {
  EXPECT_EQ(code_for_answer(path("a"), "NO\n", milliseconds(5000)), ErrorCode::protocol);
  EXPECT_EQ(code_for_answer(path("b"), std::string(1000, 'x'), milliseconds(5000)), ErrorCode::protocol);
  EXPECT_EQ(code_for_answer(path("c"), "OK 1", milliseconds(100)), ErrorCode::timeout);
}

TEST(VsockAnswer, IsANumberAndNothingElse) {
  EXPECT_EQ(parse_vsock_answer("OK 1073741824"), 1073741824u);
  for (const auto* text :
       {"OK", "OK ", "OK x", "OK 1 ", "OK -1", "OK 4294967296", "ok 1", " OK 1", "OK 1\r"}) {
    EXPECT_THROW(parse_vsock_answer(text), Error) << text;
  }
}

} // namespace
} // namespace pyro::backend::firecracker
