// What comes over the channel when the other side is not our program: frames made by hand. The session may
// end; whoever asked through it is told, and nothing grows.
#include "wire.hpp"

#include <pyro/base/error.hpp>

#include <gtest/gtest.h>

namespace pyro::protocol {
namespace {

enum Type : unsigned {
  data,
  headers,
  priority,
  rst_stream,
  settings,
  push_promise,
  ping,
  goaway,
  window_update,
  continuation
};

constexpr unsigned k_end_stream = 1;
constexpr unsigned k_end_headers = 4;

std::string big_endian(std::uint64_t value, int octets) {
  std::string bytes;
  for (int octet = octets - 1; octet >= 0; --octet) {
    bytes += static_cast<char>(value >> (8 * octet) & 0xff);
  }
  return bytes;
}

std::string frame(Type type, unsigned flags, std::uint32_t stream, const std::string& payload) {
  return big_endian(payload.size(), 3) + static_cast<char>(type) + static_cast<char>(flags)
         + big_endian(stream, 4) + payload;
}

/// A header without compression, of at most 126 octets each.
std::string literal(const std::string& name, const std::string& value) {
  return std::string(1, '\0') + static_cast<char>(name.size()) + name + static_cast<char>(value.size())
         + value;
}

std::string status_200() {
  return "\x88"; // of the table that every connection begins with
}

/// A client that has asked something, and a peer that says anything.
class HostilePeer : public ::testing::Test {
protected:
  HostilePeer() {
    ask();
    drain();
    client.feed(frame(settings, 0, 0, ""));
    client.feed(frame(settings, 1, 0, ""));
    drain();
  }

  void ask() {
    CallEvents events;
    events.on_message = [this](const Json&) {
      ++messages;
    };
    events.on_result = [this](const Json&) {
      ++results;
    };
    events.on_failure = [this](const Error&) {
      ++failures;
    };
    call = open_call(client, "/exec", Json::object(), std::move(events));
    ++asked;
  }

  std::size_t drain() {
    std::size_t bytes = 0;
    for (auto output = client.take_output(); !output.empty(); output = client.take_output()) {
      bytes += output.size();
    }
    return bytes;
  }

  /// Says it, again and again, and reads nothing; true: the session has ended.
  bool says(const std::string& bytes, int times = 1) {
    try {
      for (int time = 0; time < times && !client.is_dead(); ++time) {
        client.feed(bytes);
      }
      drain();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::protocol) << error.what();
    }
    return client.is_dead();
  }

  /// All that was asked has ended, as a failure.
  void check_told() {
    EXPECT_TRUE(client.is_dead());
    EXPECT_EQ(failures, asked);
    EXPECT_EQ(results, 0);
    EXPECT_EQ(client.open_streams(), 0U);
    EXPECT_THROW(ask(), Error);
  }

  Session client{Role::client};
  std::shared_ptr<Call> call;
  int asked = 0;
  int messages = 0;
  int results = 0;
  int failures = 0;
};

TEST_F(HostilePeer, GoodbyeEndsTheSessionThoughStreamsAreOpen) {
  says(frame(goaway, 0, 0, big_endian(0x7fffffff, 4) + big_endian(0, 4)));
  check_told();
}

TEST_F(HostilePeer, GoodbyeThatDropsWhatWasAsked) {
  says(frame(goaway, 0, 0, big_endian(0, 4) + big_endian(0, 4)));
  check_told();
}

TEST_F(HostilePeer, PushedAndSelfMadeStreamsAreRefused) {
  EXPECT_TRUE(says(frame(push_promise, k_end_headers, 1, big_endian(2, 4) + status_200())));
  check_told();
}

TEST_F(HostilePeer, RequestsFromTheServingSideAreRefused) {
  EXPECT_TRUE(says(frame(headers, k_end_headers, 2, status_200())));
  check_told();
}

TEST_F(HostilePeer, HeadersAreBounded) {
  std::string many;
  for (int count = 0; count < 100; ++count) {
    many += literal("x" + std::to_string(count), "y");
  }
  EXPECT_TRUE(says(frame(headers, k_end_headers, 1, status_200() + many)));
  check_told();
}

/// One name of the table of this connection, said ten thousand times in one octet each.
TEST_F(HostilePeer, HeadersThatUnpackToMuchAreBounded) {
  std::string bomb = status_200();
  bomb += '\x40';
  bomb += '\x04';
  bomb += "bomb";
  bomb += '\x7e' + std::string(126, 'x');
  bomb += std::string(10'000, '\xbe');
  EXPECT_TRUE(says(frame(headers, k_end_headers, 1, bomb)));
  check_told();
}

TEST_F(HostilePeer, HeadersWithoutEndAreBounded) {
  says(frame(headers, 0, 1, status_200()));
  EXPECT_TRUE(says(frame(continuation, 0, 1, std::string(1000, '\x88')), 10'000));
  check_told();
}

TEST_F(HostilePeer, InformationWithoutEndIsBounded) {
  const auto hundred = std::string("\x08\x03", 2) + "103";
  EXPECT_TRUE(says(frame(headers, k_end_headers, 1, hundred), 100'000));
  check_told();
}

TEST_F(HostilePeer, QuestionsThatWeWouldHaveToAnswerAreBounded) {
  for (const auto& question : {frame(ping, 0, 0, "12345678"), frame(settings, 0, 0, "")}) {
    Session session(Role::client);
    std::size_t kept = 0;
    try {
      for (int time = 0; time < 200'000; ++time) {
        session.feed(question);
      }
      for (auto output = session.take_output(); !output.empty(); output = session.take_output()) {
        kept += output.size();
      }
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::protocol);
    }
    EXPECT_LT(kept, 1U << 20);
  }
}

TEST_F(HostilePeer, ResetsOfWhatIsThereAndOfWhatIsNot) {
  says(frame(rst_stream, 0, 1, big_endian(8, 4)), 1000);
  EXPECT_EQ(failures, asked);
  Session other(Role::client);
  EXPECT_THROW(other.feed(frame(settings, 0, 0, "") + frame(rst_stream, 0, 99, big_endian(8, 4))), Error);
}

TEST_F(HostilePeer, MoreThanTheWindowAllows) {
  says(frame(headers, k_end_headers, 1, status_200()));
  call->set_events({});
  // Data that nobody takes: no more than a window of it.
  CallEvents events;
  std::size_t held = 0;
  events.on_data = [&](FrameType, std::string_view bytes) {
    held += bytes.size();
  };
  events.on_failure = [this](const Error&) {
    ++failures;
  };
  call->set_events(std::move(events));
  const auto piece = big_endian(static_cast<unsigned>(FrameType::data_out), 1) + big_endian(8000, 4)
                     + std::string(8000, 'x');
  EXPECT_TRUE(says(frame(data, 0, 1, piece), 1000));
  EXPECT_LE(held, 2 * k_stream_window);
  check_told();
}

TEST_F(HostilePeer, WindowsThatOverflow) {
  says(frame(window_update, 0, 0, big_endian(0x7fffffff, 4)), 2);
  check_told();
}

TEST_F(HostilePeer, SettingsThatCannotBe) {
  EXPECT_TRUE(says(frame(settings, 0, 0, big_endian(4, 2) + big_endian(0xffffffff, 4))));
  check_told();
}

/// The largest values that are allowed: what we keep does not follow them.
TEST_F(HostilePeer, SettingsOfTheLargestKind) {
  says(frame(
      settings, 0, 0,
      big_endian(1, 2) + big_endian(0xffffffff, 4) + big_endian(4, 2) + big_endian(0x7fffffff, 4)
          + big_endian(5, 2) + big_endian(0xffffff, 4)));
  EXPECT_FALSE(client.is_dead());
  while (call->send(FrameType::data_in, std::string(32 << 10, 'x'))) {
  }
  EXPECT_LT(drain(), 4U << 20);
}

TEST_F(HostilePeer, DepthOfAnswers) {
  for (const auto type : {FrameType::result, FrameType::failure, FrameType::json}) {
    Session session(Role::client);
    int told = 0;
    CallEvents events;
    events.on_message = [&](const Json&) {
      ADD_FAILURE();
    };
    events.on_result = [&](const Json&) {
      ADD_FAILURE();
    };
    events.on_failure = [&](const Error&) {
      ++told;
    };
    const auto one = open_call(session, "/exec", Json::object(), std::move(events));
    session.take_output();
    const auto text = std::string(60'000, '[') + std::string(60'000, ']');
    const auto whole = big_endian(static_cast<unsigned>(type), 1) + big_endian(text.size(), 4) + text;
    session.feed(frame(settings, 0, 0, "") + frame(headers, k_end_headers, 1, status_200()));
    for (std::size_t at = 0; at < whole.size(); at += 16'000) {
      session.feed(frame(data, 0, 1, whole.substr(at, 16'000)));
      while (!session.take_output().empty()) {
      }
    }
    EXPECT_EQ(told, 1) << static_cast<int>(type);
  }
}

TEST_F(HostilePeer, TheEndInTheMiddleOfAnything) {
  const auto answer = frame(headers, k_end_headers, 1, status_200())
                      + frame(data, k_end_stream, 1, std::string("\x05\0\0\0\x10{", 6));
  for (std::size_t size = 0; size <= answer.size(); ++size) {
    Session session(Role::client);
    int told = 0;
    CallEvents events;
    events.on_result = [&](const Json&) {
      ADD_FAILURE();
    };
    events.on_failure = [&](const Error&) {
      ++told;
    };
    const auto one = open_call(session, "/exec", Json::object(), std::move(events));
    session.take_output();
    session.feed(frame(settings, 0, 0, "") + answer.substr(0, size));
    session.transport_lost();
    EXPECT_EQ(told, 1) << size;
  }
}

} // namespace
} // namespace pyro::protocol
