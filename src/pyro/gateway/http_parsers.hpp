// Boost.Beast's parsers of one HTTP/1 message each: the head is kept, the body only measured. Internal to
// gateway/; the checks of what they found are in request_check.hpp.
#pragma once

#include "http_head.hpp"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <limits>

namespace pyro::gateway {

inline constexpr std::uint32_t k_largest_head = 64 << 10;

template <bool is_request>
class MessageParser : public boost::beast::http::basic_parser<is_request> {
public:
  MessageParser() {
    this->header_limit(k_largest_head);
    this->body_limit(std::numeric_limits<std::uint64_t>::max());
  }

  /// Parses the front of it: the head, or a piece of the body. Returns how much that was; 0: it needs more.
  /// `trouble` says what is wrong with it, empty: nothing.
  std::size_t take(std::string_view bytes, std::string& trouble) {
    boost::beast::error_code code;
    const auto taken = this->put(boost::asio::const_buffer(bytes.data(), bytes.size()), code);
    if (code && code != boost::beast::http::error::need_more) {
      trouble = code.message();
    }
    return taken;
  }

protected:
  using Code = boost::beast::error_code;
  using Text = boost::beast::string_view;

  static std::string text_of(Text text) { return {text.data(), text.size()}; }

private:
  void on_header_impl(Code& /*code*/) override {}

  void on_body_init_impl(const boost::optional<std::uint64_t>& /*length*/, Code& /*code*/) override {}

  std::size_t on_body_impl(Text body, Code& /*code*/) override { return body.size(); }

  void on_chunk_header_impl(std::uint64_t /*size*/, Text /*extensions*/, Code& /*code*/) override {}

  std::size_t on_chunk_body_impl(std::uint64_t /*left*/, Text body, Code& /*code*/) override {
    return body.size();
  }

  void on_finish_impl(Code& /*code*/) override {}
};

class RequestParser : public MessageParser<true> {
public:
  RequestHead head;

private:
  void on_request_impl(
      boost::beast::http::verb /*verb*/, Text method, Text target, int version, Code& /*code*/) override {
    head.method = text_of(method);
    head.target = text_of(target);
    head.version = version;
  }

  void on_response_impl(int /*status*/, Text /*reason*/, int /*version*/, Code& /*code*/) override {}

  void on_field_impl(boost::beast::http::field /*field*/, Text name, Text value, Code& /*code*/) override {
    head.fields.push_back({text_of(name), text_of(value)});
  }
};

class ResponseParser : public MessageParser<false> {
public:
  ResponseHead head;

private:
  void on_request_impl(
      boost::beast::http::verb /*verb*/, Text /*method*/, Text /*target*/, int /*version*/,
      Code& /*code*/) override {}

  void on_response_impl(int status, Text reason, int version, Code& /*code*/) override {
    head.status = status;
    head.reason = text_of(reason);
    head.version = version;
  }

  void on_field_impl(boost::beast::http::field /*field*/, Text name, Text value, Code& /*code*/) override {
    head.fields.push_back({text_of(name), text_of(value)});
  }
};

} // namespace pyro::gateway
