// What a front and the process that runs its call on another node say to each other: a kind and a JSON
// document, one after the other in a stream of bytes. Both ends take what comes for input that may be
// anything. On one machine the launcher has frames of its own (launcher/frame.hpp).
#pragma once

#include <pyro/base/json_access.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace pyro::node {

enum class FrameKind : char {
  request = 'q', // front: what is called, once and first (call.hpp)
  cancel = 'c',  // front: take back what can be taken back and fail with `interrupted`
  control = 'k', // front: {"resize": …}, {"signal": …}, {"detach": true} of ExecRequest::poll_control
  answer = 'y',  // front: a boolean, to `ask`
  event = 'e',   // node: workspace::Event
  line = 'l',    // node: {"service", "line"} of a followed log
  ask = 'a',     // node: a text; nothing goes on before the answer
  result = 'r',  // node, the last one: what the call returned
  failure = 'f', // node, the last one: an Error as to_json() writes it
};

/// A document as it travels may have this many bytes.
inline constexpr std::size_t k_longest_frame = 64U << 20U;

/// Error(failed) for a document that is too long. Bytes that are no UTF-8 travel as U+FFFD.
std::string encode_frame(FrameKind kind, const Json& body);

/// Bytes to frames, holding one at most.
class FrameDecoder {
public:
  using Sink = std::function<void(FrameKind kind, Json body)>;

  explicit FrameDecoder(Sink sink) : m_sink(std::move(sink)) {}

  /// Error(protocol) for what is no frame; of no use afterwards. What the sink throws leaves it too.
  void feed(std::string_view bytes);

private:
  Sink m_sink;
  std::string m_held;
};

} // namespace pyro::node
