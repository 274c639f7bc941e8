#include "fd_stream.hpp"

#include <pyro/base/error.hpp>

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <unistd.h>

namespace pyro::node {

FdStream::FdStream(os::EventLoop& loop, os::Fd fd, Way way) : m_loop(loop), m_fd(std::move(fd)), m_way(way) {
  os::set_nonblocking(m_fd.get());
  m_has_read_all = way == Way::in;
}

FdStream::~FdStream() {
  close();
}

protocol::StreamEvents FdStream::events() {
  const auto self = shared_from_this();
  protocol::StreamEvents events;
  events.on_data = [self](std::string_view bytes) {
    if (self->m_way == Way::out || !self->m_fd) { // nobody takes it
      self->m_stream.consume(bytes.size());
      return;
    }
    self->m_pending += bytes;
    self->flush();
  };
  events.on_end = [self] {
    self->m_has_all = true;
    self->flush();
  };
  events.on_writable = [self] {
    self->m_is_paused = false;
    self->watch();
  };
  events.on_close = [self](protocol::CloseReason) {
    self->close();
  };
  return events;
}

void FdStream::start(protocol::Stream stream) {
  m_stream = std::move(stream);
  if (m_way == Way::in) {
    m_loop.post([self = shared_from_this()] { self->m_stream.finish(); });
  }
  watch();
}

void FdStream::drain() {
  m_is_draining = true;
  while (m_fd && !m_has_read_all && !m_is_paused) {
    read_some();
  }
}

void FdStream::on_ready(std::uint32_t epoll_events) {
  const auto self = shared_from_this();
  if ((epoll_events & EPOLLOUT) != 0) {
    flush();
  }
  if ((epoll_events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
    if (m_has_read_all) { // the reader of what we write has gone
      m_stream.consume(m_pending.size());
      close();
    } else {
      read_some();
    }
  }
}

void FdStream::read_some() {
  std::array<char, 32768> buffer{};
  const auto count = ::read(m_fd.get(), buffer.data(), buffer.size());
  const bool is_empty = count < 0 && (errno == EAGAIN || errno == EINTR);
  if (is_empty && !m_is_draining) {
    return;
  }
  if (count <= 0) {
    m_has_read_all = true;
    m_stream.finish();
    if (m_way == Way::out) {
      close();
    } else {
      watch();
    }
    return;
  }
  m_is_paused = !m_stream.send({buffer.data(), static_cast<std::size_t>(count)});
  watch();
}

void FdStream::flush() {
  while (m_fd && !m_pending.empty()) {
    const auto count = m_way == Way::both
                           ? ::send(m_fd.get(), m_pending.data(), m_pending.size(), MSG_NOSIGNAL)
                           : ::write(m_fd.get(), m_pending.data(), m_pending.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0 && errno == EAGAIN) {
      break;
    }
    if (count < 0) { // nobody reads it: thrown away
      m_stream.consume(m_pending.size());
      m_pending.clear();
      if (m_way == Way::in) {
        close();
      }
      return;
    }
    m_stream.consume(static_cast<std::size_t>(count));
    m_pending.erase(0, static_cast<std::size_t>(count));
  }
  if (m_fd && m_has_all && m_pending.empty()) {
    if (m_way == Way::in) {
      close();
      return;
    }
    ::shutdown(m_fd.get(), SHUT_WR);
  }
  watch();
}

void FdStream::watch() {
  if (!m_fd) {
    return;
  }
  std::uint32_t wanted = m_pending.empty() ? 0U : static_cast<std::uint32_t>(EPOLLOUT);
  if (!m_has_read_all && !m_is_paused) {
    wanted |= EPOLLIN;
  }
  if (wanted == m_watched) {
    return;
  }
  if (m_watched == 0) {
    m_loop.watch(m_fd.get(), wanted, [this](std::uint32_t ready) { on_ready(ready); });
  } else if (wanted == 0) {
    m_loop.unwatch(m_fd.get());
  } else {
    m_loop.modify(m_fd.get(), wanted);
  }
  m_watched = wanted;
}

void FdStream::close() {
  if (m_fd) {
    if (m_watched != 0) {
      m_loop.unwatch(m_fd.get());
      m_watched = 0;
    }
    m_fd.reset();
  }
}

} // namespace pyro::node
