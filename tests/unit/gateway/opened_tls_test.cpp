// TLS that is opened between a client that trusts the gateway's authority and a server that the gateway
// trusts, over sockets. What HTTP does with it is in http_exchange_test.cpp.
#include <pyro/base/base64.hpp>
#include <pyro/base/error.hpp>
#include <pyro/gateway/opened_tls.hpp>
#include <pyro/os/unix_socket.hpp>

#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <csignal>
#include <fcntl.h>

namespace pyro::gateway {
namespace {

const std::string k_inside = "pyro_placeholder_0123456789abcdef";
const std::string k_outside = "the-real-value";

std::pair<os::Fd, os::Fd> stream_pair() {
  auto pair = os::socket_pair();
  for (const auto* end : {&pair.first, &pair.second}) {
    ::fcntl(end->get(), F_SETFL, O_NONBLOCK);
  }
  return pair;
}

class OpenedTlsTest : public ::testing::Test {
protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);
    opening.authority = std::make_unique<Authority>();
    trust(real.certificate());
    opening.secrets = RequestSecrets(Json::array(
        {{{"name", "token"},
          {"placeholder", k_inside},
          {"value", base64_encode(k_outside)},
          {"for", {"api.example"}},
          {"header", "Authorization"},
          {"prefix", nullptr},
          {"allow", Json::array()}}}));
  }

  void trust(const std::string& bundle) { opening.servers = std::make_unique<TrustedServers>(bundle); }

  void open(const std::string& real_name = "api.example") {
    server.emplace(TlsStream::accept(real.server_context(real_name), server_end.second.get(), ""));
    opened = std::make_unique<OpenedTls>(
        opening, client_end.second.get(), server_end.first.get(), Origin{"https", "api.example", 443}, "",
        bytes, [this](OpenedTls::Event event, const std::string& text) { told.emplace_back(event, text); });
  }

  void connect(ssl_ctx_st* context) {
    client.emplace(TlsStream::connect(context, client_end.first.get(), "api.example"));
  }

  /// Everybody has a turn, often enough for a few round trips.
  void turn() {
    for (int i = 0; i < 50; ++i) {
      if (client_state != TlsStream::Handshake::done) {
        client_state = client->handshake();
      } else if (!to_opened.empty()) {
        client->write_front(to_opened);
      }
      state = opened->step();
      if (server_state != TlsStream::Handshake::done) {
        server_state = server->handshake();
      } else {
        take(*server, at_server);
        if (!to_answer.empty() && at_server.find("\r\n\r\n") != std::string::npos) {
          server->write_front(to_answer);
        }
      }
      if (client_state == TlsStream::Handshake::done) {
        take(*client, at_client);
      }
    }
  }

  static void take(TlsStream& stream, std::string& all) {
    while (const auto bytes = stream.read()) {
      if (bytes->empty()) {
        return;
      }
      all += *bytes;
    }
  }

  Authority real; // of the server
  Opening opening;
  std::pair<os::Fd, os::Fd> client_end = stream_pair();
  std::pair<os::Fd, os::Fd> server_end = stream_pair();
  std::optional<TlsStream> client;
  std::optional<TlsStream> server;
  Traffic::Bytes bytes;
  std::unique_ptr<OpenedTls> opened;
  TlsStream::Handshake client_state = TlsStream::Handshake::waiting;
  TlsStream::Handshake server_state = TlsStream::Handshake::waiting;
  OpenedTls::State state = OpenedTls::State::waiting;
  std::vector<std::pair<OpenedTls::Event, std::string>> told;
  std::string to_opened =
      "GET /a HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer " + k_inside + "\r\n\r\n";
  std::string to_answer = "HTTP/1.1 200 OK\r\nX-Echo: " + k_outside + "\r\nContent-Length: 2\r\n\r\nok";
  std::string at_server;
  std::string at_client;
};

TEST_F(OpenedTlsTest, TheServerGetsTheValueAndTheClientThePlaceholder) {
  const TrustedServers trusting(opening.authority->certificate());
  open();
  connect(trusting.client_context());
  turn();
  EXPECT_NE(at_server.find("Authorization: Bearer " + k_outside + "\r\n"), std::string::npos) << at_server;
  EXPECT_NE(at_client.find("X-Echo: " + k_inside + "\r\n"), std::string::npos) << at_client;
  EXPECT_TRUE(at_client.ends_with("ok"));
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told.front(), std::pair(OpenedTls::Event::used, std::string("token")));
  EXPECT_GT(bytes.sent, 0U);
  EXPECT_GT(bytes.received, 0U);
}

TEST_F(OpenedTlsTest, AServerThatNobodyTrustsGetsNothing) {
  const TrustedServers trusting(opening.authority->certificate());
  trust(Authority().certificate());
  open();
  connect(trusting.client_context());
  turn();
  EXPECT_EQ(at_server, "");
  EXPECT_NE(at_client.find("502 Bad Gateway"), std::string::npos) << at_client;
  EXPECT_NE(at_client.find("no certificate that this machine trusts"), std::string::npos) << at_client;
}

TEST_F(OpenedTlsTest, AServerOfAnotherNameGetsNothing) {
  const TrustedServers trusting(opening.authority->certificate());
  open("other.example");
  connect(trusting.client_context());
  turn();
  EXPECT_EQ(at_server, "");
  EXPECT_NE(at_client.find("502 Bad Gateway"), std::string::npos) << at_client;
}

TEST_F(OpenedTlsTest, AClientThatDoesNotTrustTheAuthorityGetsNothing) {
  const TrustedServers trusting(real.certificate());
  open();
  connect(trusting.client_context());
  turn();
  EXPECT_EQ(client_state, TlsStream::Handshake::failed);
  EXPECT_EQ(at_server, "");
  EXPECT_EQ(state, OpenedTls::State::broken);
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(told.front().first, OpenedTls::Event::failed);
}

TEST_F(OpenedTlsTest, AClientOfHttp2AloneIsToldThatThereIsNone) {
  const TrustedServers trusting(opening.authority->certificate());
  constexpr unsigned char k_h2[] = {2, 'h', '2'};
  ASSERT_EQ(::SSL_CTX_set_alpn_protos(trusting.client_context(), k_h2, sizeof k_h2), 0);
  open();
  connect(trusting.client_context());
  turn();
  EXPECT_EQ(client_state, TlsStream::Handshake::failed);
  EXPECT_EQ(at_server, "");
}

TEST_F(OpenedTlsTest, WhatIsRefusedIsReadBeforeTheEnd) {
  const TrustedServers trusting(opening.authority->certificate());
  to_opened = "GET /?" + k_inside + " HTTP/1.1\r\nHost: api.example\r\n\r\n" + std::string(100'000, 'x');
  open();
  connect(trusting.client_context());
  turn();
  EXPECT_NE(at_client.find("403 Forbidden"), std::string::npos) << at_client;
  EXPECT_EQ(at_server, "");
  EXPECT_EQ(state, OpenedTls::State::lingering) << "until it has read it";
  client_end.first.reset();
  EXPECT_EQ(opened->step(), OpenedTls::State::ended);
}

TEST_F(OpenedTlsTest, AuthoritiesAreNeverTheSame) {
  EXPECT_NE(real.certificate(), opening.authority->certificate());
  EXPECT_EQ(real.certificate(), real.certificate());
  EXPECT_THROW(TrustedServers("no certificate"), Error);
}

} // namespace
} // namespace pyro::gateway
