#include "frame.hpp"

#include <pyro/base/error.hpp>

namespace pyro::node {

namespace {

constexpr std::size_t k_header = 5; // kind, then the length of the document, most significant byte first
constexpr std::string_view k_frame_kinds = "qckyelarf";

std::size_t length_in(std::string_view header) {
  std::size_t length = 0;
  for (std::size_t at = 1; at < k_header; ++at) {
    length = length << 8U | static_cast<unsigned char>(header[at]);
  }
  return length;
}

} // namespace

std::string encode_frame(FrameKind kind, const Json& body) {
  const auto text = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > k_longest_frame) {
    throw Error(
        ErrorCode::failed, "what the call says has {} bytes, more than the {} that can travel from a node",
        text.size(), k_longest_frame);
  }
  std::string bytes{static_cast<char>(kind)};
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    bytes += static_cast<char>(text.size() >> shift & 0xffU);
  }
  return bytes + text;
}

void FrameDecoder::feed(std::string_view bytes) {
  m_held += bytes;
  std::size_t begin = 0;
  while (m_held.size() - begin >= k_header) {
    const auto header = std::string_view(m_held).substr(begin, k_header);
    const auto length = length_in(header);
    if (k_frame_kinds.find(header[0]) == std::string_view::npos || length > k_longest_frame) {
      throw Error(ErrorCode::protocol, "a frame of a call is of no known kind or longer than may be");
    }
    if (m_held.size() - begin - k_header < length) {
      break;
    }
    const auto kind = static_cast<FrameKind>(header[0]);
    auto body = parse_json(std::string_view(m_held).substr(begin + k_header, length), "a frame of a call");
    begin += k_header + length;
    m_sink(kind, std::move(body));
  }
  m_held.erase(0, begin);
}

} // namespace pyro::node
