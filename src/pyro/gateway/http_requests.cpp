#include "http_requests.hpp"

#include "http_parsers.hpp"
#include "request_check.hpp"

#include <pyro/base/error.hpp>

#include <algorithm>

namespace pyro::gateway {

namespace {

constexpr std::size_t k_longest_method = 24;

[[noreturn]] void refuse(const std::string& why) {
  throw Error(ErrorCode::permission, "{}", why);
}

} // namespace

std::optional<bool> begins_http_request(std::string_view bytes) {
  while (bytes.starts_with("\r\n")) {
    bytes.remove_prefix(2); // servers pass over empty lines before a request
  }
  const auto is_letter = [](char c) {
    return (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
  };
  const auto end = std::find_if_not(bytes.begin(), bytes.end(), is_letter);
  const auto length = static_cast<std::size_t>(end - bytes.begin());
  if (end == bytes.end()) {
    return length > k_longest_method ? std::optional(false) : std::nullopt;
  }
  if (*end == '\r' && length == 0 && end + 1 == bytes.end()) {
    return std::nullopt;
  }
  return length > 0 && *end == ' ';
}

struct HttpRequests::Impl {
  Origin origin;
  const RequestSecrets* secrets = nullptr;
  std::unique_ptr<RequestParser> request = std::make_unique<RequestParser>();
  bool is_head_checked = false;
  std::size_t heads = 0;
  bool waits_for_upgrade = false;
  bool is_switched = false;
  std::string held;              // came, and has not gone on
  std::size_t parsed = 0;        // of that, by `request` and those before it
  std::size_t request_begin = 0; // where `request` begins there

  void check_head() {
    check_request(request->head, origin);
    secrets->refuse_in_clear(request->head, origin.host);
    ++heads;
    if (asks_for_upgrade(request->head)) {
      if (heads > 1) {
        refuse("a request for a web socket that is not the first of its connection");
      }
      waits_for_upgrade = true;
    }
  }

  /// What may go on of `held`.
  std::string pass() {
    if (is_switched) {
      return std::exchange(held, {});
    }
    while (parsed < held.size() && (!waits_for_upgrade || request->got_some())) {
      while (!request->got_some() && held.compare(parsed, 2, "\r\n") == 0) {
        parsed += 2; // between requests
        request_begin = parsed;
      }
      if (!request->got_some() && held.compare(parsed, std::string::npos, "\r") == 0) {
        break;
      }
      std::string trouble;
      const auto taken = request->take(std::string_view(held).substr(parsed), trouble);
      parsed += taken;
      if (!trouble.empty()) {
        refuse(fmt::format("the request is not HTTP/1.1 that is understood here: {}", trouble));
      }
      if (request->is_header_done() && !is_head_checked) {
        check_head();
        is_head_checked = true;
      }
      if (request->is_done()) {
        request = std::make_unique<RequestParser>();
        request_begin = parsed;
        is_head_checked = false;
      } else if (taken == 0) {
        break; // the rest of a head, or of a chunk's, is still to come
      }
    }
    const auto passed = is_head_checked ? parsed : request_begin;
    auto bytes = held.substr(0, passed);
    held.erase(0, passed);
    parsed -= passed;
    request_begin = 0;
    return bytes;
  }
};

HttpRequests::HttpRequests(std::string host, std::uint16_t port, const RequestSecrets& secrets)
    : m_impl(std::make_unique<Impl>()) {
  m_impl->origin = {"http", std::move(host), port};
  m_impl->secrets = &secrets;
}

HttpRequests::~HttpRequests() = default;

std::string HttpRequests::feed(std::string_view bytes) {
  m_impl->held += bytes;
  return m_impl->pass();
}

bool HttpRequests::waits_for_upgrade() const {
  return m_impl->waits_for_upgrade;
}

std::string HttpRequests::answered(bool switches) {
  m_impl->waits_for_upgrade = false;
  m_impl->is_switched = switches;
  return m_impl->pass();
}

UpgradeAnswer upgrade_answer_in(std::string_view bytes) {
  while (true) {
    const auto end = bytes.find("\r\n\r\n");
    constexpr std::size_t k_status_line = 12; // "HTTP/1.1 101"
    if (bytes.size() < k_status_line || end == std::string_view::npos) {
      return UpgradeAnswer::unknown;
    }
    const auto status = bytes.substr(9, 3);
    if (!bytes.starts_with("HTTP/1.") || !status.starts_with('1')) {
      return UpgradeAnswer::stays;
    }
    if (status == "101") {
      return UpgradeAnswer::switches;
    }
    bytes.remove_prefix(end + 4);
  }
}

} // namespace pyro::gateway
