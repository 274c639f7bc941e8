#include <pyro/base/error.hpp>
#include <pyro/gateway/http_requests.hpp>

#include <gtest/gtest.h>

namespace pyro::gateway {
namespace {

const RequestSecrets k_no_secrets;
const std::string k_get = "GET / HTTP/1.1\r\nHost: web.example\r\n\r\n";
const std::string k_post = "POST /x HTTP/1.1\r\nHost: WEB.example:80\r\nContent-Length: 5\r\n\r\nhello";
const std::string k_chunked =
    "PUT /x HTTP/1.1\r\nhost: web.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";

TEST(HttpRequests, PassAsTheyCameHoweverTheyAreSplit) {
  const auto all = k_get + k_post + "\r\n" + k_chunked + k_get;
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{64}, all.size()}) {
    HttpRequests requests("web.example", 80, k_no_secrets);
    std::string passed;
    for (std::size_t at = 0; at < all.size(); at += step) {
      passed += requests.feed(std::string_view(all).substr(at, step));
    }
    EXPECT_EQ(passed, all) << step;
  }
}

/// As clients write one and the same host.
TEST(HttpRequests, TheHostMayBeWrittenInItsOtherForms) {
  for (const std::string host :
       {"web.example", "WEB.Example", "web.example.", "Web.Example.:80", "web.example:80", "web.example:"}) {
    for (const std::string& target : {std::string("/"), "http://" + host + "/", "HTTP://" + host}) {
      const auto text = "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
      HttpRequests requests("web.example", 80, k_no_secrets);
      EXPECT_EQ(requests.feed(text), text) << text;
    }
  }
}

TEST(HttpRequests, WhoTakesTheHostForAProxyIsToldSo) {
  HttpRequests requests("proxy.example", 80, k_no_secrets);
  try {
    requests.feed("GET http://web.example/ HTTP/1.1\r\nHost: web.example\r\n\r\n");
    FAIL() << "it passed";
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("which it takes for a proxy (http_proxy?)"), std::string::npos)
        << error.message();
  }
}

TEST(HttpRequests, OfAnotherHostArePassedByNoTrick) {
  for (const auto* request :
       {"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: web.example.evil\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: web.example:8080\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: web.example\r\nHost: evil.example\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: web.example, evil.example\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "GET http://evil.example/ HTTP/1.1\r\nHost: web.example\r\n\r\n",
        "GET https://web.example/ HTTP/1.1\r\nHost: web.example\r\n\r\n",
        "GET http://web.example@evil.example/ HTTP/1.1\r\nHost: web.example\r\n\r\n",
        "CONNECT evil.example:443 HTTP/1.1\r\nHost: web.example\r\n\r\n",
        "CONNECT web.example:80 HTTP/1.1\r\nHost: web.example\r\n\r\n",
        "GET / HTTP/1.1\nHost: web.example\n\n",
        "GET / HTTP/1.1\r\nHost : web.example\r\n\r\n",
        "GET / HTTP/1.1\r\n Host: web.example\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: web.example\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: web.example\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: web.example\r\nContent-Length: 3\r\nContent-Length: 30\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: web.example\r\nTransfer-Encoding: xchunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: web.example\r\nTransfer-Encoding: chunked, identity\r\n\r\n",
        "POST / HTTP/1.0\r\nHost: web.example\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    HttpRequests first("web.example", 80, k_no_secrets);
    EXPECT_THROW(first.feed(request), Error) << request;
    HttpRequests second("web.example", 80, k_no_secrets);
    EXPECT_EQ(second.feed(k_post), k_post);
    EXPECT_THROW(second.feed(request), Error) << "as a second one: " << request;
    HttpRequests pipelined("web.example", 80, k_no_secrets);
    EXPECT_THROW(pipelined.feed(k_chunked + request), Error) << "right behind another: " << request;
  }
}

TEST(HttpRequests, NothingOfARefusedOnePasses) {
  HttpRequests requests("web.example", 80, k_no_secrets);
  EXPECT_EQ(requests.feed("GET / HTTP/1.1\r\nX: y\r\n"), "") << "its host is not known yet";
  EXPECT_THROW(requests.feed("Host: evil.example\r\n\r\n"), Error);
}

TEST(HttpRequests, AHeadHasAnEnd) {
  HttpRequests requests("web.example", 80, k_no_secrets);
  EXPECT_THROW(requests.feed("GET / HTTP/1.1\r\nX: " + std::string(100'000, 'x')), Error);
}

TEST(HttpRequests, BehindAWebSocketTheServerDecides) {
  const std::string upgrade =
      "GET /chat HTTP/1.1\r\nHost: web.example\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\r\n";
  const std::string other = "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n";
  HttpRequests switched("web.example", 80, k_no_secrets);
  EXPECT_EQ(switched.feed(upgrade + other), upgrade);
  EXPECT_TRUE(switched.waits_for_upgrade());
  EXPECT_EQ(switched.feed("more"), "");
  EXPECT_EQ(switched.answered(true), other + "more") << "it is no HTTP any more";
  EXPECT_EQ(switched.feed("\x81\x01x"), "\x81\x01x");

  HttpRequests declined("web.example", 80, k_no_secrets);
  EXPECT_EQ(declined.feed(upgrade + other), upgrade);
  EXPECT_THROW(declined.answered(false), Error);

  HttpRequests late("web.example", 80, k_no_secrets);
  EXPECT_EQ(late.feed(k_get), k_get);
  EXPECT_THROW(late.feed(upgrade), Error) << "whose answer is whose could not be told";
}

TEST(HttpRequests, TheServersAnswerToAnUpgrade) {
  EXPECT_EQ(upgrade_answer_in("HTTP/1.1 101 Switching\r\n"), UpgradeAnswer::unknown);
  EXPECT_EQ(upgrade_answer_in("HTTP/1.1 101 Switching\r\n\r\nxx"), UpgradeAnswer::switches);
  EXPECT_EQ(
      upgrade_answer_in("HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 101 Switching\r\n\r\n"), UpgradeAnswer::switches);
  EXPECT_EQ(upgrade_answer_in("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 101 Switching\r\n\r\n"), UpgradeAnswer::stays);
  EXPECT_EQ(upgrade_answer_in("HTTP/1.1 103 Early\r\n\r\n"), UpgradeAnswer::unknown);
}

TEST(HttpRequests, FirstBytes) {
  for (const auto* http : {"GET / HTTP/1.1\r\n", "\r\n\r\nGET /", "M-SEARCH *", "FOO bar"}) {
    EXPECT_EQ(begins_http_request(http), true) << http;
  }
  for (const auto* other :
       {"SSH-2.0-x", "\x16\x03", "{\"a\"}", " GET", "get /", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}) {
    EXPECT_EQ(begins_http_request(other), false) << other;
  }
  for (const auto* open : {"", "G", "GET", "\r", "\r\n", "\r\nPO"}) {
    EXPECT_EQ(begins_http_request(open), std::nullopt) << open;
  }
}

} // namespace
} // namespace pyro::gateway
