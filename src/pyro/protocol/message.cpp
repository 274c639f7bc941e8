#include "message.hpp"

#include <pyro/base/error.hpp>

#include <algorithm>
#include <utility>

namespace pyro::protocol {

bool is_data(FrameType type) {
  return type == FrameType::data_in || type == FrameType::data_out || type == FrameType::data_err;
}

static std::size_t limit_of(FrameType type, std::size_t max_json) {
  if (type == FrameType::end_in) {
    return 0;
  }
  return is_data(type) ? k_max_data : max_json;
}

std::string encode_frame(FrameType type, std::string_view payload, std::size_t max_json) {
  const auto limit = limit_of(type, max_json);
  if (payload.size() > limit) {
    throw Error(
        ErrorCode::invalid_argument, "a message of {} bytes is too large (limit {})", payload.size(), limit);
  }
  auto length = payload.size();
  std::string frame;
  frame.reserve(k_frame_header + length);
  frame.push_back(static_cast<char>(type));
  for (int shift = 24; shift >= 0; shift -= 8) {
    frame.push_back(static_cast<char>((length >> shift) & 0xff));
  }
  return frame.append(payload);
}

void FrameDecoder::start_payload() {
  auto type = static_cast<unsigned char>(m_header[0]);
  if (type > static_cast<unsigned char>(FrameType::failure)) {
    throw Error(ErrorCode::protocol, "a frame of the unknown type {}", type);
  }
  std::size_t length = 0;
  for (std::size_t i = 1; i < k_frame_header; ++i) {
    length = length << 8 | static_cast<unsigned char>(m_header[i]);
  }
  m_type = static_cast<FrameType>(type);
  if (length > limit_of(m_type, m_max_json)) {
    throw Error(
        ErrorCode::protocol, "a frame of type {} with {} bytes (limit {})", type, length,
        limit_of(m_type, m_max_json));
  }
  m_header.clear();
  m_remaining = length;
  m_in_payload = true;
}

void FrameDecoder::feed(std::string_view bytes) {
  while (!bytes.empty() || m_in_payload) {
    if (!m_in_payload) {
      auto count = std::min(k_frame_header - m_header.size(), bytes.size());
      m_header.append(bytes.substr(0, count));
      bytes.remove_prefix(count);
      if (m_header.size() < k_frame_header) {
        return;
      }
      start_payload();
    }
    auto piece = bytes.substr(0, m_remaining);
    bytes.remove_prefix(piece.size());
    m_remaining -= piece.size();
    if (is_data(m_type)) {
      m_in_payload = m_remaining > 0;
      if (!piece.empty()) {
        m_sink(m_type, piece);
      }
    } else if (m_remaining > 0) {
      m_payload.append(piece);
    } else {
      m_in_payload = false;
      auto whole = std::exchange(m_payload, {});
      if (whole.empty()) {
        m_sink(m_type, piece);
      } else {
        m_sink(m_type, whole.append(piece));
      }
    }
    if (m_in_payload && bytes.empty()) {
      return;
    }
  }
}

} // namespace pyro::protocol
