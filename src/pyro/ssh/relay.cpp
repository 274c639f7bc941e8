#include "relay.hpp"

#include <pyro/base/error.hpp>

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <unistd.h>

namespace pyro::ssh {

Relay::Relay(os::EventLoop& loop, os::Fd from, os::Fd to)
    : m_loop(loop), m_from(std::move(from)), m_to(std::move(to)) {
  os::set_nonblocking(m_from.get());
  os::set_nonblocking(m_to.get());
  m_loop.watch(m_from.get(), EPOLLIN, [this](std::uint32_t) { read_some(); });
}

Relay::~Relay() {
  end();
}

void Relay::read_some() {
  std::array<char, 32768> buffer{};
  const auto count = ::read(m_from.get(), buffer.data(), buffer.size());
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
    return;
  }
  if (count <= 0) {
    end();
    return;
  }
  m_pending.assign(buffer.data(), static_cast<std::size_t>(count));
  write_some();
}

void Relay::write_some() {
  while (!m_pending.empty()) {
    const auto count = ::write(m_to.get(), m_pending.data(), m_pending.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0 && errno == EAGAIN) {
      break;
    }
    if (count < 0) {
      end();
      return;
    }
    m_pending.erase(0, static_cast<std::size_t>(count));
  }
  if (m_pending.empty() == m_is_writing) { // the other side is waited for from now on
    m_is_writing = !m_is_writing;
    m_loop.unwatch((m_is_writing ? m_from : m_to).get());
    m_loop.watch(
        (m_is_writing ? m_to : m_from).get(), m_is_writing ? EPOLLOUT : EPOLLIN, [this](std::uint32_t) {
          if (m_is_writing) {
            write_some();
          } else {
            read_some();
          }
        });
  }
}

void Relay::end() {
  if (m_to) {
    m_loop.unwatch((m_is_writing ? m_to : m_from).get());
    ::shutdown(m_to.get(), SHUT_WR); // where it is a socket, of which others have duplicates
    m_to.reset();
    m_from.reset();
  }
}

} // namespace pyro::ssh
