// What a workspace says to its gateway: questions of the DNS, HTTP requests, TLS, packets; what it and a
// server say where TLS is opened; and rules of a file. The first byte chooses.
#include "../support/require.hpp"

#include <pyro/base/base64.hpp>
#include <pyro/base/error.hpp>
#include <pyro/egress/request_pattern.hpp>
#include <pyro/egress/rule.hpp>
#include <pyro/gateway/client_hello.hpp>
#include <pyro/gateway/dns_message.hpp>
#include <pyro/gateway/http_exchange.hpp>
#include <pyro/gateway/http_requests.hpp>
#include <pyro/gateway/refused_packets.hpp>

namespace {

using namespace pyro;
using namespace pyro::gateway;

void ask(std::string_view bytes) {
  const auto question = dns_question_from(bytes);
  if (!question) {
    return;
  }
  const auto answer = dns_message_of(*question, {DnsCode::ok, destination_from("198.18.1.1"), "", ""});
  require(answer.substr(0, 2) == bytes.substr(0, 2), "an answer has the number of its question");
  require(!dns_question_from(answer), "an answer is no question");
}

struct Passed {
  std::string bytes;
  bool is_refused = false;
};

Passed pass(std::string_view bytes, std::size_t step) {
  const RequestSecrets none;
  HttpRequests requests("web.example", 80, none);
  Passed passed;
  try {
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      passed.bytes += requests.feed(bytes.substr(at, step));
    }
  } catch (const Error& error) {
    require(error.code() == ErrorCode::permission, "what is refused is not allowed");
    passed.is_refused = true;
  }
  return passed;
}

void request(std::string_view bytes) {
  const auto at_once = pass(bytes, bytes.size());
  const auto split = pass(bytes, 1);
  require(bytes.starts_with(at_once.bytes) && bytes.starts_with(split.bytes), "what passes is what came");
  require(
      at_once.is_refused || split.is_refused || at_once.bytes == split.bytes,
      "nor does it depend on packets");
}

void hello(std::string_view bytes) {
  ClientHello at_once;
  const auto state = bytes.empty() ? ClientHello::State::needs_more : at_once.feed(bytes);
  ClientHello split;
  auto split_state = ClientHello::State::needs_more;
  for (std::size_t at = 0; at < bytes.size() && split_state == ClientHello::State::needs_more; ++at) {
    split_state = split.feed(bytes.substr(at, 1));
  }
  if (state == ClientHello::State::complete && split_state == ClientHello::State::complete) {
    require(at_once.server_name() == split.server_name(), "the name does not depend on packets");
  }
}

void rule(const std::string& text) {
  try {
    const auto read = egress::rule_from(text);
    require(egress::rule_from(egress::to_string(read)) == read, "a rule round trips");
  } catch (const Error& error) {
    require(
        error.code() == ErrorCode::invalid_argument && !error.hint().empty(),
        "a wrong rule is told with a way out");
  }
}

constexpr std::string_view k_value = "the-value-of-the-secret";
constexpr std::string_view k_placeholder = "pyro_placeholder_0123456789";

RequestSecrets one_secret() {
  return RequestSecrets(Json::array(
      {{{"name", "token"},
        {"placeholder", k_placeholder},
        {"value", base64_encode(k_value)},
        {"for", {"web.example"}},
        {"header", "Authorization"},
        {"prefix", nullptr},
        {"allow", {"GET /a*"}}}}));
}

struct Said {
  std::string to_client;
  std::string to_server;
  bool is_over = false;
};

/// The client's bytes to the first zero byte, the server's after it, in pieces.
Said exchanged(std::string_view bytes, std::size_t step) {
  const auto secrets = one_secret();
  HttpExchange opened(
      {[&](RequestHead& head) { std::ignore = secrets.put_into(head, "web.example", 443); },
       [&](ResponseHead& head) {
         secrets.take_out(head);
       }});
  const auto end = std::min(bytes.find('\0'), bytes.size());
  const auto server = end == bytes.size() ? std::string_view{} : bytes.substr(end + 1);
  for (std::size_t at = 0; at < end; at += step) {
    opened.from_client(bytes.substr(at, std::min(step, end - at)));
  }
  for (std::size_t at = 0; at < server.size(); at += step) {
    opened.from_server(server.substr(at, step));
  }
  return {opened.to_client(), opened.to_server(), opened.is_over()};
}

void opened(std::string_view bytes) {
  if (bytes.find(k_value) != std::string_view::npos) {
    return; // it is known already
  }
  const auto at_once = exchanged(bytes, bytes.size() + 1);
  const auto split = exchanged(bytes, 1);
  require(at_once.to_client.find(k_value) == std::string::npos, "the value does not come back");
  require(
      at_once.is_over || split.is_over
          || (at_once.to_server == split.to_server && at_once.to_client == split.to_client),
      "what is passed on does not depend on packets");
}

void path(std::string_view target) {
  try {
    const auto plain = egress::plain_path(target);
    require(egress::plain_path(plain) == plain, "a plain path is one");
    require(("/" + plain + "/").find("/../") == std::string::npos, "it does not lead up");
  } catch (const Error& error) {
    require(error.code() == ErrorCode::permission, "what has no plain form is refused");
  }
  try {
    const auto read = egress::request_pattern_from(std::string(target));
    require(egress::request_pattern_from(egress::to_string(read)) == read, "a pattern round trips");
    std::ignore = read.holds("GET", target);
  } catch (const Error& error) {
    require(
        error.code() == ErrorCode::invalid_argument && !error.hint().empty(),
        "a wrong pattern is told with a way out");
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 7) {
  case 0:
    ask(bytes);
    break;
  case 1:
    request(bytes);
    break;
  case 2:
    hello(bytes);
    break;
  case 3:
    std::ignore = packet_from(bytes);
    break;
  case 5:
    opened(bytes);
    break;
  case 6:
    path(bytes);
    break;
  default:
    rule(std::string(bytes));
  }
  return 0;
}
