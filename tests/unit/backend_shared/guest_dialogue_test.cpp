#include <pyro/backend/shared/guest_dialogue.hpp>
#include <pyro/base/error.hpp>
#include <pyro/os/unix_socket.hpp>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <csignal>
#include <thread>

namespace pyro::backend {
namespace {

using std::chrono::milliseconds;

class Dialogue : public ::testing::Test {
protected:
  /// The guest has said all of it before it is asked.
  void guest_says(const std::string& text) { os::write_all(m_guest.get(), text); }

  template <typename Attempt>
  ErrorCode failure(Attempt attempt) {
    try {
      attempt();
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::internal;
  }

  std::pair<os::Fd, os::Fd> m_ends = os::socket_pair();
  os::Fd& m_host = m_ends.first;
  os::Fd& m_guest = m_ends.second;
  GuestDialogue m_dialogue{m_host.get()};
};

TEST_F(Dialogue, TakesTheGuestsWordAndNothingAfterIt) {
  guest_says("{\"guest\": \"pyro\", \"version\": 2}\n{\"ok\": true}\nrest");
  m_dialogue.await_guest(milliseconds(1000));
  m_dialogue.ask({{"do", "mount"}}, milliseconds(1000));
  std::array<char, 10> rest{};
  EXPECT_EQ(os::read_some(m_host.get(), rest), 4u);
}

TEST_F(Dialogue, AnotherGuestIsRefused) {
  guest_says("{\"guest\": \"pyro\", \"version\": 9}\n");
  EXPECT_EQ(failure([&] { m_dialogue.await_guest(milliseconds(1000)); }), ErrorCode::protocol);
}

TEST_F(Dialogue, WhatIsLeftOfASessionIsSkipped) {
  guest_says("\x01\x02 rest of a frame\n{\"half\n\n{\"ok\": true}\nmore");
  m_dialogue.leave_session(milliseconds(1000));
  std::array<char, 100> said{};
  const auto count = os::read_some(m_guest.get(), said);
  EXPECT_EQ(std::string(said.data(), count.value_or(0)), "\n{\"do\":\"stand\"}\n");
  std::array<char, 10> rest{};
  EXPECT_EQ(os::read_some(m_host.get(), rest), 4u);
}

TEST_F(Dialogue, EndlessRubbishInsteadOfTheAnswerIsATimeout) {
  guest_says("rubbish\nrubbish\n");
  EXPECT_EQ(failure([&] { m_dialogue.leave_session(milliseconds(50)); }), ErrorCode::timeout);
}

TEST_F(Dialogue, WhatTheGuestCouldNotDoIsItsError) {
  guest_says(to_json(Error(ErrorCode::disk_full, "no room")).dump().insert(0, "{\"error\": ") + "}\n");
  EXPECT_EQ(failure([&] { m_dialogue.ask({{"do", "mount"}}, milliseconds(1000)); }), ErrorCode::disk_full);
}

TEST_F(Dialogue, SilenceAndRubbishAreTold) {
  EXPECT_EQ(failure([&] { m_dialogue.ask({{"do", "mount"}}, milliseconds(50)); }), ErrorCode::timeout);
  guest_says("{}\n");
  EXPECT_EQ(failure([&] { m_dialogue.ask({{"do", "mount"}}, milliseconds(1000)); }), ErrorCode::protocol);
  guest_says("HTTP/1.1\n");
  EXPECT_EQ(failure([&] { m_dialogue.ask({{"do", "mount"}}, milliseconds(1000)); }), ErrorCode::protocol);
}

/// Of the session there is anything to read; a document that would exhaust our stack or memory is none.
TEST_F(Dialogue, DeepAndLongDocumentsAreNone) {
  guest_says(std::string(100'000, '[') + std::string(100'000, ']') + "\n");
  EXPECT_EQ(failure([&] { m_dialogue.ask({{"do", "mount"}}, milliseconds(5000)); }), ErrorCode::protocol);
  std::signal(SIGPIPE, SIG_IGN);
  std::thread endless([&] {
    try {
      while (true) {
        guest_says(std::string(4096, 'x'));
      }
    } catch (const Error&) {
      return; // our end is closed
    }
  });
  EXPECT_EQ(failure([&] { m_dialogue.await_guest(milliseconds(60'000)); }), ErrorCode::protocol);
  ::shutdown(m_host.get(), SHUT_RDWR);
  endless.join();
}

} // namespace
} // namespace pyro::backend
