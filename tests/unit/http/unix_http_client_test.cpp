// The client against sockets that say whatever the test wants, above all what they should not.
#include <pyro/base/error.hpp>
#include <pyro/http/unix_http_client.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/unix_socket.hpp>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <csignal>
#include <poll.h>
#include <thread>

namespace pyro::http {
namespace {

using std::chrono::milliseconds;

class UnixHttp : public ::testing::Test {
protected:
  void SetUp() override { std::signal(SIGPIPE, SIG_IGN); }

  std::string path() const { return m_directory.path() + "/" + std::string(90, 'l') + "/s.sock"; }

  /// Reads the request's head and what comes with it, sends `answer`, closes.
  void serve(const std::string& answer, bool close_after = true) {
    os::make_directories(m_directory.path() + "/" + std::string(90, 'l'));
    m_listener = os::listen_unix(path());
    m_server = std::thread([this, answer, close_after] {
      pollfd waiting{m_listener.get(), POLLIN, 0};
      ::poll(&waiting, 1, 5000);
      auto socket = os::accept_unix(m_listener.get());
      while (m_request.find("\r\n\r\n") == std::string::npos) {
        waiting = {socket->get(), POLLIN, 0};
        ::poll(&waiting, 1, 5000);
        std::array<char, 4096> buffer{};
        m_request.append(buffer.data(), os::read_some(socket->get(), buffer).value_or(0));
      }
      std::size_t sent = 0;
      while (sent < answer.size()) {
        const auto count = ::send(socket->get(), answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
        if (count < 0 && errno == EAGAIN) {
          waiting = {socket->get(), POLLOUT, 0};
          ::poll(&waiting, 1, 5000);
          continue;
        }
        if (count < 0) {
          break;
        }
        sent += static_cast<std::size_t>(count);
      }
      if (!close_after) {
        waiting = {socket->get(), POLLRDHUP, 0};
        ::poll(&waiting, 1, 5000);
      }
    });
  }

  void TearDown() override {
    if (m_server.joinable()) {
      m_server.join();
    }
  }

  ErrorCode code_of(const Request& request, Limits limits = {}) {
    try {
      UnixHttpClient(path(), limits).call(request);
    } catch (const Error& error) {
      EXPECT_NE(error.message().find("/s.sock"), std::string::npos) << error.message();
      return error.code();
    }
    return ErrorCode::internal;
  }

  const std::string& request_text() {
    m_server.join();
    return m_request;
  }

private:
  os::TempDir m_directory{"/dev/shm", "pyro-http"};
  os::Fd m_listener;
  std::thread m_server;
  std::string m_request;
};

const Request k_get{"GET", "/x", ""};

TEST_F(UnixHttp, SendsTheRequestAndGivesTheAnswer) {
  serve("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody");
  const auto answer = UnixHttpClient(path()).call({"PATCH", "/vm?a=b", R"({"state": "Paused"})"});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "body");
  const auto& sent = request_text();
  EXPECT_TRUE(sent.starts_with("PATCH /vm?a=b HTTP/1.1\r\n")) << sent;
  EXPECT_NE(sent.find("Content-Type: application/json\r\n"), std::string::npos);
  EXPECT_TRUE(sent.ends_with(R"({"state": "Paused"})")) << sent;
}

TEST_F(UnixHttp, WithoutABodyNoneIsAnnounced) {
  serve("HTTP/1.1 204 No Content\r\n\r\n");
  const auto answer = UnixHttpClient(path()).call(k_get);
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.body, "");
  EXPECT_EQ(request_text().find("Content-Length"), std::string::npos);
}

TEST_F(UnixHttp, AnyStatusIsAnAnswerAndRedirectsAreNotFollowed) {
  serve("HTTP/1.1 302 Found\r\nLocation: http://localhost/other\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(UnixHttpClient(path()).call(k_get).status, 302);
}

TEST_F(UnixHttp, NobodyThere) {
  EXPECT_EQ(code_of(k_get), ErrorCode::unavailable); // no directory
  serve("HTTP/1.1 204 No Content\r\n\r\n");
  UnixHttpClient(path()).call(k_get);
  TearDown();
  ::unlink(path().c_str());
  EXPECT_EQ(code_of(k_get), ErrorCode::unavailable); // no socket
}

TEST_F(UnixHttp, AnswersThatAreTooLargeAreCutOff) {
  serve("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" + std::string(300000, 'x'), false);
  Limits limits;
  limits.body_bytes = 1000;
  EXPECT_EQ(code_of(k_get, limits), ErrorCode::protocol);
}

TEST_F(UnixHttp, HeadersThatDoNotEndAreCutOff) {
  std::string endless = "HTTP/1.1 200 OK\r\n";
  for (int index = 0; index < 20000; ++index) {
    endless += "X: y\r\n";
  }
  serve(endless, false);
  EXPECT_EQ(code_of(k_get), ErrorCode::protocol);
}

TEST_F(UnixHttp, SilenceIsATimeout) {
  serve("HTTP/1.1 200 OK\r\n", false);
  Limits limits;
  limits.time = milliseconds(100);
  EXPECT_EQ(code_of(k_get, limits), ErrorCode::timeout);
}

TEST_F(UnixHttp, WhatIsNoHttpIsSaid) {
  serve("220 smtp ready\r\n");
  EXPECT_EQ(code_of(k_get), ErrorCode::protocol);
}

TEST_F(UnixHttp, AnAnswerThatBreaksOffIsNoAnswer) {
  serve("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  EXPECT_EQ(code_of(k_get), ErrorCode::protocol);
}

TEST_F(UnixHttp, OddRequestsAreOurMistake) {
  EXPECT_THROW(UnixHttpClient(path()).call({"GET", "/a b", ""}), Error);
  EXPECT_THROW(UnixHttpClient(path()).call({"GET", "/a\r\nX: y", ""}), Error);
  EXPECT_THROW(UnixHttpClient(path()).call({"GET", "no-slash", ""}), Error);
}

} // namespace
} // namespace pyro::http
