// Bytes of one socket into another, one way, without a copy of them in this process (splice(2)).
#pragma once

#include <pyro/os/fd.hpp>

#include <cstddef>
#include <utility>

namespace pyro::gateway {

class Pump {
public:
  enum class State {
    waiting,  // for bytes, or for room
    more,     // it has moved much; others may have their turn
    finished, // the end of the one was told to the other
    broken,   // one of them is gone
  };

  /// Both are non-blocking and stay the caller's.
  Pump(int from, int to);

  /// Moves what can be moved.
  State run();

  /// Bytes that it moved since the last call.
  std::size_t take_moved() { return std::exchange(m_moved, 0); }

private:
  bool fill();
  bool empty();

  int m_from;
  int m_to;
  os::Pipe m_pipe;
  std::size_t m_held = 0;
  std::size_t m_moved = 0;
  bool m_at_end = false;
  bool m_is_broken = false;
};

} // namespace pyro::gateway
