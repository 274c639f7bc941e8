#include "feeder.hpp"

#include <pyro/base/error.hpp>

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <unistd.h>
#include <utility>

namespace pyro::node {

void Feeder::start(protocol::Stream stream) {
  m_stream = std::move(stream);
  resume();
}

/// A regular file is always readable and cannot be watched: it is read until the stream has enough.
void Feeder::resume() {
  if (m_is_watched || m_has_ended) {
    return;
  }
  try {
    m_loop.watch(m_fd, EPOLLIN, [this](std::uint32_t) { read_once(); });
    m_is_watched = true;
  } catch (const Error& error) {
    if (error.error_number() != EPERM) {
      throw;
    }
    while (read_once()) {
    }
  }
}

void Feeder::stop() {
  pause();
  m_has_ended = true;
}

void Feeder::pause() {
  if (std::exchange(m_is_watched, false)) {
    m_loop.unwatch(m_fd);
  }
}

/// False: the end, or the other side takes no more for now.
bool Feeder::read_once() {
  std::array<char, 32768> buffer{};
  const auto count = ::read(m_fd, buffer.data(), buffer.size());
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
    return true;
  }
  if (count <= 0) {
    stop();
    m_stream.finish();
    return false;
  }
  if (!m_stream.send({buffer.data(), static_cast<std::size_t>(count)})) {
    pause();
    return false;
  }
  return true;
}

} // namespace pyro::node
