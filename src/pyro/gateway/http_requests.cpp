#include "http_requests.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>
#include <pyro/egress/rule.hpp>

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <limits>

namespace pyro::gateway {

namespace {

namespace http = boost::beast::http;

constexpr std::uint32_t k_largest_head = 64 << 10;
constexpr std::size_t k_longest_method = 24;

/// "example.org:8080" in two.
struct Authority {
  std::string host;
  std::optional<std::string> port;
};

Authority authority_from(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return {std::string(text), std::nullopt};
  }
  return {std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

/// One request: its head is looked at, its body only measured.
class Request : public http::basic_parser<true> {
public:
  Request() {
    header_limit(k_largest_head);
    body_limit(std::numeric_limits<std::uint64_t>::max());
    eager(true);
  }

  std::string method;
  std::string target;
  std::vector<std::string> hosts;
  std::vector<std::string> upgrades;
  std::vector<std::string> codings;
  int http_version = 0; // 11 for 1.1

private:
  using Code = boost::beast::error_code;
  using Text = boost::beast::string_view;

  void on_request_impl(
      http::verb /*verb*/, Text method_text, Text target_text, int version, Code& /*code*/) override {
    http_version = version;
    method.assign(method_text.data(), method_text.size());
    target.assign(target_text.data(), target_text.size());
  }

  void on_response_impl(int /*status*/, Text /*reason*/, int /*version*/, Code& /*code*/) override {}

  void on_field_impl(http::field /*field*/, Text name, Text value, Code& /*code*/) override {
    const auto key = lower_case({name.data(), name.size()});
    if (key == "host") {
      hosts.emplace_back(value.data(), value.size());
    } else if (key == "upgrade") {
      upgrades.emplace_back(value.data(), value.size());
    } else if (key == "transfer-encoding") {
      codings.emplace_back(value.data(), value.size());
    }
  }

  void on_header_impl(Code& /*code*/) override {}

  void on_body_init_impl(const boost::optional<std::uint64_t>& /*length*/, Code& /*code*/) override {}

  std::size_t on_body_impl(Text body, Code& /*code*/) override { return body.size(); }

  void on_chunk_header_impl(std::uint64_t /*size*/, Text /*extensions*/, Code& /*code*/) override {}

  std::size_t on_chunk_body_impl(std::uint64_t /*left*/, Text body, Code& /*code*/) override {
    return body.size();
  }

  void on_finish_impl(Code& /*code*/) override {}
};

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
  std::string host;
  std::uint16_t port = 0;
  std::unique_ptr<Request> request = std::make_unique<Request>();
  bool is_head_checked = false;
  std::size_t heads = 0;
  bool waits_for_upgrade = false;
  bool is_switched = false;
  std::string held;              // came, and has not gone on
  std::size_t parsed = 0;        // of that, by `request` and those before it
  std::size_t request_begin = 0; // where `request` begins there

  void check_authority(const std::string& text) const {
    const auto authority = authority_from(text);
    const auto name = egress::host_name(authority.host);
    const bool is_same_port = !authority.port || whole_number<int>(*authority.port) == port;
    if (!name || *name != host || !is_same_port) {
      refuse(fmt::format(
          "the request is for the host '{}', the connection was made to {}", cut_text(text), host));
    }
  }

  static std::string cut_text(const std::string& text) { return text.substr(0, 200); }

  void check_target() const {
    if (request->method == "CONNECT") {
      refuse(fmt::format("the request CONNECT {} asks {} to pass it on", cut_text(request->target), host));
    }
    if (request->target.starts_with('/') || request->target == "*") {
      return;
    }
    constexpr std::string_view k_scheme = "http://";
    const auto& target = request->target;
    if (lower_case(std::string_view(target).substr(0, k_scheme.size())) != k_scheme) {
      refuse(fmt::format("the request's target is '{}'", cut_text(target)));
    }
    const auto rest = target.substr(k_scheme.size());
    check_authority(rest.substr(0, rest.find_first_of("/?#")));
  }

  /// Where its body ends must be the same to every server.
  void check_length() const {
    for (const auto& coding : request->codings) {
      if (request->http_version < 11 || request->codings.size() > 1 || lower_case(coding) != "chunked") {
        refuse(fmt::format("the request has the transfer coding '{}'", cut_text(coding)));
      }
    }
  }

  void check_head() {
    check_target();
    check_length();
    if (request->hosts.size() != 1) {
      refuse(fmt::format("the request names {} hosts instead of one", request->hosts.size()));
    }
    check_authority(request->hosts.front());
    ++heads;
    for (const auto& upgrade : request->upgrades) {
      if (lower_case(upgrade) != "websocket") {
        refuse(fmt::format("the request asks for the protocol '{}'", cut_text(upgrade)));
      }
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
      boost::beast::error_code code;
      const auto taken =
          request->put(boost::asio::const_buffer(held.data() + parsed, held.size() - parsed), code);
      parsed += taken;
      if (code && code != http::error::need_more) {
        refuse(fmt::format("the request is not HTTP/1.1 that is understood here: {}", code.message()));
      }
      if (request->is_header_done() && !is_head_checked) {
        check_head();
        is_head_checked = true;
      }
      if (request->is_done()) {
        request = std::make_unique<Request>();
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

HttpRequests::HttpRequests(std::string host, std::uint16_t port) : m_impl(std::make_unique<Impl>()) {
  m_impl->host = std::move(host);
  m_impl->port = port;
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
