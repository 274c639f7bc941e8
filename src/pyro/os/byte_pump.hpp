// Ties something that eats and makes bytes (a protocol::Session) to a non-blocking stream descriptor in an
// EventLoop:
//
//   os::BytePump pump(loop, std::move(fd), {.on_bytes = [&](std::string_view bytes) { session.feed(bytes); },
//                                           .pull = [&] { return session.take_output(); },
//                                           .on_closed = [&](const Error*) { session.transport_lost(); }});
//   session.on_output([&] { pump.wake(); });
#pragma once

#include "event_loop.hpp"
#include "fd.hpp"

#include <pyro/base/error.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace pyro::os {

class BytePump {
public:
  struct Callbacks {
    /// Bytes that came. Exceptions close the pump and go to on_closed.
    std::function<void(std::string_view bytes)> on_bytes;
    /// The next bytes to write, or nothing. Asked only while the descriptor takes them.
    std::function<std::string()> pull;
    /// The last call: end of stream (nullptr) or what went wrong. The pump may be destroyed only in a later
    /// turn.
    std::function<void(const Error* error)> on_closed;
  };

  /// Makes the descriptor non-blocking and watches it.
  BytePump(EventLoop& loop, Fd fd, Callbacks callbacks);
  ~BytePump();
  BytePump(const BytePump&) = delete;
  BytePump& operator=(const BytePump&) = delete;

  /// There may be something to pull; written before the loop waits again. Cheap to call often.
  void wake();
  /// Writes what there is right now, as far as the descriptor takes it.
  void flush();
  /// Stops watching and closes the descriptor; on_closed is not called.
  void close();
  bool is_open() const;
  /// Is everything written that was pulled?
  bool is_drained() const;
  int fd() const;

private:
  struct State;

  std::shared_ptr<State> m_state;
};

} // namespace pyro::os
