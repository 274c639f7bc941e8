// Frames inside a stream: [u8 type][u32 big-endian length][payload]. One request is one HTTP/2 stream whose
// :path is the operation (requests.hpp); the first frame from the client is a json frame, the request.
#pragma once

#include <pyro/base/json_access.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace pyro::protocol {

enum class FrameType : std::uint8_t {
  json = 0,     // the request, then messages either way
  data_in = 1,  // towards the sandbox: stdin, or bytes of a forwarded connection
  data_out = 2, // from the sandbox: stdout, the terminal, a log
  data_err = 3, // from the sandbox: stderr
  end_in = 4,   // no more data_in (empty)
  result = 5,   // JSON: success, the last frame from the server
  failure = 6,  // JSON of an Error, the last frame from the server
};

inline constexpr std::size_t k_max_json = 256 << 10;
/// Of what the side sends that opened the call: arguments and variables as many as the kernel takes
/// (kernel_limits.hpp), every byte of them escaped.
inline constexpr std::size_t k_max_request = 16 << 20;
inline constexpr std::size_t k_max_data = 64 << 10;
inline constexpr std::size_t k_frame_header = 5;

/// data_in, data_out, data_err
bool is_data(FrameType type);

/// One frame; throws Error(invalid_argument) for a payload above the limit of its type.
std::string encode_frame(FrameType type, std::string_view payload, std::size_t max_json = k_max_json);

/// Bytes to frames, never holding more than one json payload.
class FrameDecoder {
public:
  /// Data payloads are handed on in pieces, as they come (an empty data frame gives nothing); others whole.
  using Sink = std::function<void(FrameType type, std::string_view payload)>;

  explicit FrameDecoder(Sink sink, std::size_t max_json = k_max_json)
      : m_sink(std::move(sink)), m_max_json(max_json) {}

  /// Throws Error(protocol) for unknown types and lengths above the limit; the decoder is of no use
  /// afterwards.
  void feed(std::string_view bytes);

  /// True between two frames: an end of stream elsewhere is a truncated frame.
  bool at_boundary() const { return m_header.empty() && !m_in_payload; }

private:
  void start_payload();

  Sink m_sink;
  std::size_t m_max_json;
  std::string m_header;
  std::string m_payload;
  FrameType m_type = FrameType::json;
  std::size_t m_remaining = 0;
  bool m_in_payload = false;
};

} // namespace pyro::protocol
