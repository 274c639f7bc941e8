#include "pump.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <fcntl.h>
#include <tuple>

namespace pyro::gateway {

namespace {

constexpr int k_pipe_bytes = 256 << 10; // less where the user has many
constexpr std::size_t k_most_per_turn = 4 << 20;

} // namespace

Pump::Pump(int from, int to) : m_from(from), m_to(to), m_pipe(os::make_pipe()) {
  std::ignore = ::fcntl(m_pipe.write_end.get(), F_SETPIPE_SZ, k_pipe_bytes);
}

/// False: nothing came.
bool Pump::fill() {
  if (m_at_end) {
    return false;
  }
  const auto count = ::splice(
      m_from, nullptr, m_pipe.write_end.get(), nullptr, k_pipe_bytes, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  if (count > 0) {
    m_held += static_cast<std::size_t>(count);
    return true;
  }
  m_at_end = count == 0;
  m_is_broken = m_is_broken || (count < 0 && errno != EAGAIN && errno != EINTR);
  return false;
}

/// False: there is no room.
bool Pump::empty() {
  const auto count =
      ::splice(m_pipe.read_end.get(), nullptr, m_to, nullptr, m_held, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  if (count > 0) {
    m_held -= static_cast<std::size_t>(count);
    m_moved += static_cast<std::size_t>(count);
    return true;
  }
  m_is_broken = m_is_broken || (count < 0 && errno != EAGAIN && errno != EINTR);
  return false;
}

Pump::State Pump::run() {
  std::size_t moved = 0;
  while (!m_is_broken) {
    const auto before = m_held;
    const bool came = fill();
    moved += m_held - before;
    const bool went = m_held > 0 && empty();
    if (m_at_end && m_held == 0 && !m_is_broken) {
      ::shutdown(m_to, SHUT_WR);
      return State::finished;
    }
    if (!came && !went) {
      return m_is_broken ? State::broken : State::waiting;
    }
    if (moved > k_most_per_turn) {
      return State::more;
    }
  }
  return State::broken;
}

} // namespace pyro::gateway
