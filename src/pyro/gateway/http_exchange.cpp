#include "http_exchange.hpp"

#include "http_parsers.hpp"
#include "refusal.hpp"
#include "request_check.hpp"

#include <pyro/base/error.hpp>

#include <optional>

namespace pyro::gateway {

namespace {

constexpr std::size_t k_most_waiting = 256 << 10; // to be sent to one side
constexpr std::size_t k_most_held = 128
                                    << 10; // of the client, while it waits for an answer; more than a head

} // namespace

struct HttpExchange::Impl {
  Looks looks;
  std::unique_ptr<RequestParser> request = std::make_unique<RequestParser>();
  std::unique_ptr<ResponseParser> response; // there while an answer is awaited
  bool is_request_head_seen = false;
  bool is_response_head_seen = false;
  bool is_request_done = false;
  std::size_t answered = 0;
  bool may_switch = false; // the request asks for a web socket
  bool is_switched = false;
  bool is_client_at_end = false;
  bool is_over = false;
  bool is_broken = false;
  std::string held_client; // came, and is not understood yet
  std::string held_server;
  std::string out_client;
  std::string out_server;

  void break_off() {
    is_over = true;
    is_broken = true;
  }

  /// An answer of ours, in place of the server's.
  void answer(RefusalKind kind, const std::string& reason) {
    if (is_response_head_seen) {
      break_off(); // in the middle of another
      return;
    }
    out_client += refusal_for(Language::http, kind, reason);
    out_server.clear();
    is_over = true;
  }

  void take_request_head() {
    is_request_head_seen = true;
    looks.request(request->head);
    out_server += to_string(request->head);
    may_switch = asks_for_upgrade(request->head);
    new_response();
  }

  void new_response() {
    response = std::make_unique<ResponseParser>();
    response->skip(request->head.method == "HEAD");
    is_response_head_seen = false;
  }

  /// One piece of the client's bytes. Returns how much that was; 0: it needs more.
  std::size_t take_of_client(std::string_view bytes) {
    if (!request->got_some() && bytes.starts_with("\r\n")) {
      return 2; // between requests
    }
    if (!request->got_some() && bytes == "\r") {
      return 0;
    }
    std::string trouble;
    const auto taken = request->take(bytes, trouble);
    if (!trouble.empty()) {
      throw Error(ErrorCode::permission, "the request is not HTTP/1.1 that is understood here: {}", trouble);
    }
    if (is_request_head_seen) {
      out_server += bytes.substr(0, taken);
    } else if (request->is_header_done()) {
      take_request_head();
    }
    is_request_done = request->is_done();
    return taken;
  }

  void pass_client() {
    std::size_t at = 0;
    while (!is_over && !is_switched && !is_request_done && at < held_client.size()) {
      const auto taken = take_of_client(std::string_view(held_client).substr(at));
      at += taken;
      if (taken == 0) {
        break;
      }
    }
    held_client.erase(0, at);
    if (is_switched) {
      out_server += std::exchange(held_client, {});
    }
  }

  void take_response_head() {
    looks.response(response->head);
    out_client += to_string(response->head);
    const auto status = response->head.status;
    if (status == 101) {
      if (!may_switch) {
        throw Error(ErrorCode::failed, "the server changes to a protocol that was not asked for");
      }
      is_switched = true;
      response.reset();
    } else if (status < 200) {
      new_response(); // of another that follows
    } else {
      is_response_head_seen = true;
    }
  }

  std::size_t take_of_server(std::string_view bytes) {
    std::string trouble;
    const auto taken = response->take(bytes, trouble);
    if (!trouble.empty()) {
      throw Error(ErrorCode::failed, "the server's answer is not HTTP/1.1: {}", trouble);
    }
    if (is_response_head_seen) {
      out_client += bytes.substr(0, taken);
    } else if (response->is_header_done()) {
      take_response_head();
    }
    if (is_response_head_seen && response->is_done()) {
      finish_response();
    }
    return taken;
  }

  void pass_server() {
    std::size_t at = 0;
    while (!is_over && response && at < held_server.size()) {
      const auto taken = take_of_server(std::string_view(held_server).substr(at));
      at += taken;
      if (taken == 0) {
        break;
      }
    }
    held_server.erase(0, at);
    if (is_switched) {
      out_client += std::exchange(held_server, {});
    } else if (!is_over && !response && !held_server.empty()) {
      break_off(); // it says something that nobody asked for
    }
  }

  void finish_response() {
    ++answered;
    const bool goes_on = response->keep_alive() && request->keep_alive() && is_request_done;
    response.reset();
    if (!goes_on) {
      is_over = true; // of a body that the server did not wait for nobody needs the rest
      return;
    }
    request = std::make_unique<RequestParser>();
    is_request_head_seen = false;
    is_request_done = false;
    is_response_head_seen = false;
    may_switch = false;
    if (is_client_at_end && held_client.empty()) {
      is_over = true;
    }
  }

  void end_client() {
    is_client_at_end = true;
    const bool is_between = !request->got_some() && held_client.empty();
    if (is_switched || is_between) {
      is_over = true;
    } else if (!is_request_done) {
      break_off();
    }
  }

  void end_server() {
    if (is_switched || (!response && !is_request_head_seen)) {
      is_over = true;
      return;
    }
    if (response && is_response_head_seen && response->need_eof()) {
      is_over = true;
      return;
    }
    const bool is_in_an_answer = response && is_response_head_seen;
    if (!is_in_an_answer && answered == 0) {
      throw Error(ErrorCode::failed, "the server ended before it answered");
    }
    // Between answers it was about to end: clients try again on another connection, and would not after a
    // 502.
    break_off();
  }

  template <typename Work>
  void guarded(Work work) {
    if (is_over) {
      return;
    }
    try {
      work();
    } catch (const Error& error) {
      answer(
          error.code() == ErrorCode::permission ? RefusalKind::denied : RefusalKind::failed, error.message());
    }
  }
};

HttpExchange::HttpExchange(Looks looks) : m_impl(std::make_unique<Impl>()) {
  m_impl->looks = std::move(looks);
}

HttpExchange::~HttpExchange() = default;

void HttpExchange::from_client(std::string_view bytes) {
  m_impl->guarded([&] {
    m_impl->held_client += bytes;
    bytes.empty() ? m_impl->end_client() : m_impl->pass_client();
  });
}

void HttpExchange::from_server(std::string_view bytes) {
  m_impl->guarded([&] {
    m_impl->held_server += bytes;
    bytes.empty() ? m_impl->end_server() : m_impl->pass_server();
    m_impl->pass_client(); // the next request may lie here already
  });
}

std::string& HttpExchange::to_client() {
  return m_impl->out_client;
}

std::string& HttpExchange::to_server() {
  return m_impl->out_server;
}

bool HttpExchange::wants_client() const {
  return !m_impl->is_over && !m_impl->is_client_at_end && m_impl->out_server.size() < k_most_waiting
         && m_impl->held_client.size() < k_most_held;
}

bool HttpExchange::wants_server() const {
  return !m_impl->is_over && m_impl->out_client.size() < k_most_waiting;
}

bool HttpExchange::is_over() const {
  return m_impl->is_over;
}

bool HttpExchange::is_broken() const {
  return m_impl->is_broken;
}

} // namespace pyro::gateway
