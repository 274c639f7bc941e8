// The agent's SFTP server with packets that no client sends; tests/functional/ssh_test.cpp has the real ones.
#include "agent_fixture.hpp"

#include <pyro/protocol/octets.hpp>

namespace pyro::agent {
namespace {

using protocol::put_number;
using protocol::put_text;

class Sftp : public AgentTest {
protected:
  /// All of it at once; what is answered, and how the server ends.
  std::shared_ptr<Reply> send(const std::string& bytes) {
    auto reply = call(protocol::path::k_sftp, {{"cwd", m_directory}});
    reply->call->send(FrameType::data_in, bytes);
    reply->call->end_in();
    EXPECT_TRUE(run_until([&] { return reply->is_over(); }));
    return reply;
  }

  static std::string packet(std::uint8_t kind, const std::string& body) {
    std::string text;
    put_number(text, static_cast<std::uint32_t>(body.size() + 5));
    put_number(text, kind);
    put_number(text, std::uint32_t{7});
    return text + body;
  }

  static std::string text(const std::string& value) {
    std::string bytes;
    put_text(bytes, value);
    return bytes;
  }

  /// Of the one status that came.
  static std::uint32_t status_of(const Reply& reply) {
    protocol::OctetReader reader(reply.out);
    reader.number<std::uint32_t>();
    EXPECT_EQ(reader.number<std::uint8_t>(), 101);
    EXPECT_EQ(reader.number<std::uint32_t>(), 7U);
    return reader.number<std::uint32_t>();
  }
};

TEST_F(Sftp, AnswersWhatItDoesNotKnow) {
  EXPECT_EQ(status_of(*send(packet(99, ""))), 8U);
  EXPECT_EQ(status_of(*send(packet(200, text("nobody@example.org")))), 8U);
  EXPECT_EQ(status_of(*send(packet(5, text("no handle")))), 4U);
  EXPECT_EQ(status_of(*send(packet(17, text(std::string("a\0b", 3))))), 5U);
  EXPECT_EQ(status_of(*send(packet(17, text("nothing there")))), 2U);
  const auto reply = send(packet(99, ""));
  EXPECT_EQ(reply->exec().exit_code, 0);
}

TEST_F(Sftp, EndsWithWhatIsNoPacket) {
  std::string too_long;
  put_number(too_long, std::uint32_t{1U << 30U});
  std::string empty;
  put_number(empty, std::uint32_t{0});
  const std::string short_text = packet(17, std::string("\xff\xff\xff\xff", 4));
  for (const auto& bytes : {too_long, empty, std::string("ab"), packet(17, "").substr(0, 7), short_text}) {
    const auto reply = send(bytes);
    EXPECT_EQ(reply->exec().exit_code, 1);
    EXPECT_EQ(reply->out, "");
    EXPECT_TRUE(reply->err.starts_with("sftp: ")) << reply->err;
  }
}

} // namespace
} // namespace pyro::agent
