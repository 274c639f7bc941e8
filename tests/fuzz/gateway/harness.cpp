// What a workspace says to its gateway: questions of the DNS, HTTP requests, TLS, packets; and rules of a
// file. The first byte chooses.
#include "../support/require.hpp"

#include <pyro/base/error.hpp>
#include <pyro/egress/rule.hpp>
#include <pyro/gateway/client_hello.hpp>
#include <pyro/gateway/dns_message.hpp>
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
  HttpRequests requests("web.example", 80);
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

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 5) {
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
  default:
    rule(std::string(bytes));
  }
  return 0;
}
