#include <pyro/base/error.hpp>
#include <pyro/gateway/http_exchange.hpp>

#include <gtest/gtest.h>

namespace pyro::gateway {
namespace {

const std::string k_to_api = "Host: api.example\r\n";
const std::string k_ask = "GET /a HTTP/1.1\r\n" + k_to_api + "\r\n";
const std::string k_answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// One that marks what it has seen, and refuses /no and fails /down.
HttpExchange::Looks marking() {
  return {
      [](RequestHead& head) {
        if (head.target == "/no") {
          throw Error(ErrorCode::permission, "not this");
        }
        if (head.target == "/down") {
          throw Error(ErrorCode::unavailable, "not now");
        }
        head.fields.push_back({"Seen", "yes"});
      },
      [](ResponseHead& head) {
        head.fields.push_back({"Back", "yes"});
      }};
}

std::string taken(std::string& bytes) {
  return std::exchange(bytes, {});
}

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class Exchange : public ::testing::Test {
protected:
  HttpExchange exchange{marking()};

  std::string ask(std::string_view bytes) {
    exchange.from_client(bytes);
    return taken(exchange.to_server());
  }

  std::string answer(std::string_view bytes) {
    exchange.from_server(bytes);
    return taken(exchange.to_client());
  }
};

TEST_F(Exchange, ChangesHeadsAndNoBodyHoweverTheyAreSplit) {
  const auto body = std::string("4\r\nGET \r\n0\r\n\r\n");
  const auto post = "POST /x HTTP/1.1\r\n" + k_to_api + "Transfer-Encoding: chunked\r\n\r\n" + body;
  const auto reply = "HTTP/1.1 201 Made\r\nTransfer-Encoding: chunked\r\n\r\n" + body;
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, post.size() + reply.size()}) {
    HttpExchange split(marking());
    for (int round = 0; round < 2; ++round) {
      for (std::size_t at = 0; at < post.size(); at += step) {
        split.from_client(std::string_view(post).substr(at, step));
      }
      EXPECT_EQ(
          taken(split.to_server()),
          "POST /x HTTP/1.1\r\n" + k_to_api + "Transfer-Encoding: chunked\r\nSeen: yes\r\n\r\n" + body);
      for (std::size_t at = 0; at < reply.size(); at += step) {
        split.from_server(std::string_view(reply).substr(at, step));
      }
      EXPECT_EQ(
          taken(split.to_client()),
          "HTTP/1.1 201 Made\r\nTransfer-Encoding: chunked\r\nBack: yes\r\n\r\n" + body);
    }
    EXPECT_FALSE(split.is_over()) << "it is kept alive";
  }
}

TEST_F(Exchange, TheNextRequestWaitsForTheAnswer) {
  EXPECT_FALSE(says(ask(k_ask + "GET /b HTTP/1.1\r\n" + k_to_api + "\r\n"), "/b"));
  EXPECT_TRUE(says(answer(k_answer), "ok"));
  EXPECT_TRUE(says(exchange.to_server(), "GET /b")) << "and goes then";
}

TEST_F(Exchange, ABodyPassesBeforeItIsWhole) {
  EXPECT_TRUE(says(ask("POST /x HTTP/1.1\r\n" + k_to_api + "Content-Length: 1000000\r\n\r\nbegin"), "begin"));
  EXPECT_EQ(ask("more"), "more");
  EXPECT_TRUE(says(answer("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nbegin"), "begin"));
  EXPECT_EQ(answer("more"), "more");
}

TEST_F(Exchange, ARefusedRequestIsToldAndNothingOfItPasses) {
  std::ignore = ask(k_ask);
  std::ignore = answer(k_answer);
  EXPECT_EQ(ask("POST /no HTTP/1.1\r\n" + k_to_api + "Content-Length: 2\r\n\r\nno"), "");
  EXPECT_TRUE(says(exchange.to_client(), "HTTP/1.1 403 Forbidden\r\n"));
  EXPECT_TRUE(says(exchange.to_client(), "not this"));
  EXPECT_TRUE(exchange.is_over());
  EXPECT_EQ(ask(k_ask), "") << "and nothing behind it";
}

TEST_F(Exchange, WhatCannotBeReachedIs502) {
  EXPECT_EQ(ask("GET /down HTTP/1.1\r\n" + k_to_api + "\r\n"), "");
  EXPECT_TRUE(says(exchange.to_client(), "HTTP/1.1 502 Bad Gateway\r\n"));
  EXPECT_TRUE(says(exchange.to_client(), "not now"));
}

TEST_F(Exchange, WhatIsNoHttpIsRefused) {
  for (const auto* bytes :
       {"hello\r\n\r\n", "GET / HTTP/1.1\nHost: api.example\n\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: api.example\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    HttpExchange refused(marking());
    refused.from_client(bytes);
    EXPECT_TRUE(says(refused.to_client(), " 403 ")) << bytes;
    EXPECT_EQ(refused.to_server(), "") << bytes;
  }
}

TEST_F(Exchange, WaitsForContinueAndPassesIt) {
  EXPECT_TRUE(says(
      ask("PUT /x HTTP/1.1\r\n" + k_to_api + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"), "Expect"));
  EXPECT_TRUE(says(answer("HTTP/1.1 100 Continue\r\n\r\n"), "100 Continue"));
  EXPECT_EQ(ask("hi"), "hi");
  EXPECT_TRUE(says(answer(k_answer), "200 OK"));
  EXPECT_TRUE(says(ask(k_ask), "GET /a"));
}

TEST_F(Exchange, AnAnswerToHeadHasNoBody) {
  std::ignore = ask("HEAD /a HTTP/1.1\r\n" + k_to_api + "\r\n");
  EXPECT_TRUE(says(answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"), "Content-Length: 2"));
  EXPECT_TRUE(says(ask(k_ask), "GET /a")) << "so the next goes on";
}

TEST_F(Exchange, AnAnswerWithoutALengthEndsWithTheServer) {
  std::ignore = ask(k_ask);
  EXPECT_TRUE(says(answer("HTTP/1.1 200 OK\r\n\r\nall"), "all"));
  exchange.from_server("");
  EXPECT_TRUE(exchange.is_over());
  EXPECT_FALSE(exchange.is_broken());
}

TEST_F(Exchange, AnAnswerThatIsCutOffIsSeenToBe) {
  std::ignore = ask(k_ask);
  std::ignore = answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
  exchange.from_server("");
  EXPECT_TRUE(exchange.is_broken());
}

TEST_F(Exchange, AServerThatEndsWithoutAnAnswerIsToldOnceAndElseTriedAgain) {
  std::ignore = ask(k_ask);
  EXPECT_TRUE(says(answer(""), "502"));
  HttpExchange kept(marking());
  kept.from_client(k_ask);
  kept.from_server(k_answer);
  kept.from_client(k_ask);
  kept.from_server("");
  EXPECT_TRUE(kept.is_broken()) << "clients try again on another connection";
}

TEST_F(Exchange, ASocketIsOpenOnceTheServerAgrees) {
  const auto upgrade = "GET /s HTTP/1.1\r\n" + k_to_api + "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
  std::ignore = ask(upgrade + "frame");
  EXPECT_TRUE(says(answer("HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\nback"), "back"));
  EXPECT_EQ(taken(exchange.to_server()), "frame");
  EXPECT_EQ(ask("GET /no HTTP/1.1"), "GET /no HTTP/1.1") << "it is no request";
  HttpExchange declined(marking());
  declined.from_client(upgrade + "GET /no HTTP/1.1\r\n" + k_to_api + "\r\n");
  declined.from_server(k_answer);
  EXPECT_TRUE(says(declined.to_client(), "403")) << "it is one";
}

TEST_F(Exchange, ASocketThatNobodyAskedForIsNone) {
  std::ignore = ask(k_ask);
  EXPECT_TRUE(says(answer("HTTP/1.1 101 Switching\r\n\r\nanything"), "502"));
}

TEST_F(Exchange, AnswersThatNobodyAskedForAreTheEnd) {
  exchange.from_server(k_answer);
  EXPECT_TRUE(exchange.is_broken());
  EXPECT_EQ(exchange.to_client(), "");
}

TEST_F(Exchange, HoldsNoMoreThanIsRead) {
  const std::string piece(64 << 10, 'x');
  std::ignore = ask("POST /x HTTP/1.1\r\n" + k_to_api + "Content-Length: 100000000\r\n\r\n");
  std::size_t sent = 0;
  while (exchange.wants_client() && sent < (8U << 20U)) {
    exchange.from_client(piece);
    sent += piece.size();
  }
  EXPECT_LE(sent, 512U << 10U) << "the server does not read";
  HttpExchange waiting(marking());
  waiting.from_client(k_ask);
  for (sent = 0; waiting.wants_client() && sent < (8U << 20U); sent += piece.size()) {
    waiting.from_client(piece);
  }
  EXPECT_LE(sent, 512U << 10U) << "the server does not answer";
}

TEST_F(Exchange, OfAClientThatIsGoneNothingIsLeft) {
  exchange.from_client("");
  EXPECT_TRUE(exchange.is_over());
  HttpExchange half(marking());
  half.from_client("POST /x HTTP/1.1\r\n" + k_to_api + "Content-Length: 9\r\n\r\nhalf");
  half.from_client("");
  EXPECT_TRUE(half.is_broken());
  HttpExchange waiting(marking());
  waiting.from_client(k_ask);
  waiting.from_client("");
  EXPECT_FALSE(waiting.is_over()) << "it may still read";
  waiting.from_server(k_answer);
  EXPECT_TRUE(waiting.is_over());
}

} // namespace
} // namespace pyro::gateway
