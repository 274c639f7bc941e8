// What a front and the process that runs its call say to each other over a socket of the call's own: a kind
// and a JSON document. The process says that it is there; the front sends one request and perhaps cancels;
// what comes back are events and in the end one result or one failure.
#pragma once

#include <pyro/base/json_access.hpp>

#include <optional>

namespace pyro::launcher {

enum class FrameKind : char {
  begun = 'b',   // null: there is a process for this call, which waits for its request
  request = 'q', // {"operation", "parameters", "settings"}
  cancel = 'c',  // null: take back what can be taken back and fail with `interrupted`
  event = 'e',   // {"kind", "address", "text", "data"}
  result = 'r',  // what the operation returned
  failure = 'f', // an Error as to_json() writes it
};

struct Frame {
  FrameKind kind = FrameKind::request;
  Json body;
};

/// A document as it travels may have this many bytes.
inline constexpr std::size_t k_longest_frame = 256U << 20U;

/// Blocks until all of it is on its way. Error(unavailable) where the other end is gone. Bytes that are no
/// UTF-8 travel as U+FFFD.
void send_frame(int socket, FrameKind kind, const Json& body);

/// Blocks for the next one. nullopt: the other end has closed. Error(protocol) for what is no frame.
std::optional<Frame> receive_frame(int socket);

} // namespace pyro::launcher
