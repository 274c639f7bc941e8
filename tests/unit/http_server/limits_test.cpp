// What a client may send, hold and keep waiting: the server's bounds, small ones here.
#include <pyro/http_server/http_server.hpp>
#include <pyro/os/tcp_socket.hpp>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

namespace pyro::http_server {
namespace {

using namespace std::chrono_literals;

class HttpLimits : public ::testing::Test {
protected:
  void serve(const Limits& limits) {
    auto listener = os::listen_tcp("127.0.0.1", 0);
    m_port = os::port_of(listener.get());
    Handler handler;
    handler.refusal = [](const HttpRequest&) {
      return std::optional<Answer>();
    };
    handler.begin = [this](const std::shared_ptr<Exchange>& exchange) {
      if (exchange->request().path == "/stream") {
        exchange->when_gone([this] { m_is_left = true; });
        exchange->begin_stream({200, {{"Content-Type", "text/event-stream"}}, ""}, ": filler\n\n");
        m_stream = exchange;
        return;
      }
      exchange->answer({200, {}, std::to_string(exchange->request().body.size()) + " bytes"});
    };
    m_server = std::make_unique<HttpServer>(std::move(listener), std::move(handler), limits);
  }

  os::Fd connected() const {
    os::Fd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(m_port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return client;
  }

  static bool say(const os::Fd& client, std::string_view bytes) {
    return ::send(client.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL)
           == static_cast<ssize_t>(bytes.size());
  }

  /// Until `wanted` is in it, or to the end of the connection where that is empty.
  static std::string heard(const os::Fd& client, std::string_view wanted = "") {
    std::string text;
    std::array<char, 4096> buffer{};
    while (wanted.empty() || text.find(wanted) == std::string::npos) {
      pollfd watched{client.get(), POLLIN, 0};
      if (::poll(&watched, 1, 60'000) <= 0) {
        ADD_FAILURE() << "nothing comes: " << text;
        break;
      }
      const auto count = ::recv(client.get(), buffer.data(), buffer.size(), 0);
      if (count <= 0) {
        EXPECT_TRUE(wanted.empty()) << text;
        break;
      }
      text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return text;
  }

  static std::string post(std::string_view path, const std::string& body) {
    return "POST " + std::string(path)
           + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }

  /// Somebody who asks is answered, whatever others do.
  void expect_service() const {
    const auto other = connected();
    EXPECT_TRUE(say(other, post("/", "body")));
    EXPECT_NE(heard(other, "4 bytes").find("200"), std::string::npos);
  }

  std::atomic<bool> m_is_left = false;
  std::shared_ptr<Exchange> m_stream;
  int m_port = 0;
  std::unique_ptr<HttpServer> m_server;
};

TEST_F(HttpLimits, WhoIsIdleIsLeft) {
  serve({.request_time = 300ms});
  const auto silent = connected();
  EXPECT_EQ(heard(silent), "") << "it never asked";
  const auto idle = connected();
  EXPECT_TRUE(say(idle, post("/", "x")));
  EXPECT_NE(heard(idle, "1 bytes").find("200"), std::string::npos);
  EXPECT_EQ(heard(idle), "") << "it asked nothing more";
  expect_service();
}

TEST_F(HttpLimits, WhoSendsBitByBitHasNoMoreTime) {
  serve({.request_time = 500ms});
  const auto slow_head = connected();
  const auto slow_body = connected();
  EXPECT_TRUE(say(slow_body, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"));
  const auto is_left = [](const os::Fd& client) {
    pollfd watched{client.get(), POLLIN | POLLRDHUP, 0};
    return !say(client, "a") || ::poll(&watched, 1, 50) > 0;
  };
  EXPECT_TRUE(say(slow_head, "POST / HTTP/1.1\r\nX-"));
  int bits = 0;
  while (!is_left(slow_head) && bits < 2000) {
    ++bits;
  }
  while (!is_left(slow_body) && bits < 2000) {
    ++bits;
  }
  EXPECT_LT(bits, 2000) << "there was no end";
  expect_service();
}

TEST_F(HttpLimits, LargeHeadsAndBodiesAreRefused) {
  serve({.header_bytes = 4096, .body_bytes = 1000});
  const auto exact = connected();
  EXPECT_TRUE(say(exact, post("/", std::string(1000, 'x'))));
  EXPECT_NE(heard(exact, "1000 bytes").find("200"), std::string::npos);
  const auto more = connected();
  say(more, post("/", std::string(1001, 'x')));
  EXPECT_NE(heard(more, "\r\n\r\n").find("413"), std::string::npos);
  const auto head = connected();
  say(head, "POST / HTTP/1.1\r\nX-Long: " + std::string(10'000, 'x') + "\r\n\r\n");
  const auto said = heard(head);
  EXPECT_EQ(said.find(" 200 "), std::string::npos) << said;
  expect_service();
}

TEST_F(HttpLimits, WhoTakesNothingIsLeft) {
  serve({.send_time = 1s});
  const auto client = connected();
  EXPECT_TRUE(say(client, post("/stream", "")));
  heard(client, ": filler");
  m_stream->write(std::string(64 << 20, 'x'));
  for (int look = 0; look < 6000 && !m_is_left; ++look) {
    ::poll(nullptr, 0, 10);
  }
  EXPECT_TRUE(m_is_left);
  expect_service();
}

TEST_F(HttpLimits, AQuietStreamGetsItsFiller) {
  serve({.request_time = 300ms, .filler_time = 200ms});
  const auto client = connected();
  EXPECT_TRUE(say(client, post("/stream", "")));
  heard(client, ": filler\n\n");
  const auto more = heard(client, "filler");
  EXPECT_NE(more.find("filler"), std::string::npos) << "it stays, beyond the time for a request";
  m_stream->write("data: 1\n\n");
  heard(client, "data: 1");
  m_stream->end_stream();
  expect_service();
}

} // namespace
} // namespace pyro::http_server
