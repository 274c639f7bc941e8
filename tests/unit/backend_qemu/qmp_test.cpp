#include <pyro/backend/qemu/qmp.hpp>
#include <pyro/base/error.hpp>
#include <pyro/os/unix_socket.hpp>

#include <gtest/gtest.h>

#include <csignal>
#include <thread>

namespace pyro::backend::qemu {
namespace {

using namespace std::chrono_literals;

class QmpTest : public ::testing::Test {
protected:
  QmpTest() {
    std::signal(SIGPIPE, SIG_IGN); // as the supervisor does
    auto [ours, theirs] = os::socket_pair();
    m_theirs = std::move(theirs);
    m_qmp.emplace(std::move(ours));
  }

  void say(const std::string& text) { os::write_all(m_theirs.get(), text); }

  os::Fd m_theirs;
  std::optional<Qmp> m_qmp;
};

TEST_F(QmpTest, EventsBetweenAreSkippedAndTheAnswerIsReturned) {
  say("{\"QMP\": {}}\n{\"return\": {}}\n");
  m_qmp->greet(5s);
  say("{\"event\": \"STOP\"}\n{\"event\": \"RESUME\"}\n{\"return\": {\"status\": \"running\"}}\n");
  EXPECT_EQ(m_qmp->execute("query-status"), (Json{{"status", "running"}}));
}

TEST_F(QmpTest, ARefusalNamesTheCommandAndTheReason) {
  say("{\"error\": {\"class\": \"GenericError\", \"desc\": \"no such disk\"}}\n");
  try {
    m_qmp->execute("cont");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "QEMU refused cont: no such disk");
  }
}

TEST_F(QmpTest, SilenceFloodAndTheEndAreErrorsOfTheirOwn) {
  const auto code_of = [&](auto work) {
    try {
      work();
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::internal;
  };
  EXPECT_EQ(code_of([&] { m_qmp->execute("a", Json::object(), 20ms); }), ErrorCode::timeout);
  std::thread flood([&] {
    try {
      say(std::string(3 << 20, 'x'));
    } catch (const Error&) {
      // the other end had enough
    }
  });
  EXPECT_EQ(code_of([&] { m_qmp->execute("b", Json::object(), 5s); }), ErrorCode::protocol);
  m_qmp.reset();
  flood.join();
  auto [ours, theirs] = os::socket_pair();
  Qmp gone(std::move(ours));
  theirs.reset();
  EXPECT_THROW(gone.greet(5s), Error);
}

} // namespace
} // namespace pyro::backend::qemu
