#include "stream_io.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <unistd.h>
#include <utility>

namespace pyro::agent {

namespace {

constexpr std::size_t k_read_size = 32 << 10;
constexpr int k_drain_reads = 64; // somebody may be writing without end
constexpr std::chrono::milliseconds k_look_for_hangup{100};

} // namespace

InputSink::InputSink(os::EventLoop& loop, os::Fd fd, End end, std::function<void(std::size_t)> consumed)
    : m_loop(loop), m_fd(std::move(fd)), m_end(end), m_consumed(std::move(consumed)) {
  os::set_nonblocking(m_fd.get());
}

InputSink::~InputSink() {
  if (m_watched) {
    m_loop.unwatch(m_fd.get());
  }
}

void InputSink::write(std::string_view bytes) {
  if (!m_fd || m_ending) {
    m_consumed(bytes.size());
    return;
  }
  m_pending.append(bytes);
  flush();
}

void InputSink::end() {
  m_ending = true;
  flush();
}

void InputSink::close() {
  if (std::exchange(m_watched, false)) {
    m_loop.unwatch(m_fd.get());
  }
  m_fd.reset();
  m_consumed(std::exchange(m_pending, {}).size());
}

void InputSink::flush() {
  std::size_t written = 0;
  while (m_fd && written < m_pending.size()) {
    auto count = ::write(m_fd.get(), m_pending.data() + written, m_pending.size() - written);
    if (count >= 0) {
      written += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      break;
    } else if (errno != EINTR) {
      m_pending.erase(0, written);
      m_consumed(written);
      close(); // the reader is gone: everything further is thrown away
      return;
    }
  }
  m_pending.erase(0, written);
  if (m_pending.empty() && m_pending.capacity() > 4096) {
    m_pending.shrink_to_fit();
  }
  if (m_fd && m_pending.empty() && m_ending) {
    if (m_end == End::shutdown) {
      ::shutdown(m_fd.get(), SHUT_WR);
    } else if (m_end == End::terminal_eof) {
      (void)!::write(m_fd.get(), "\x04", 1); // a full terminal has other worries
    }
    m_consumed(written);
    close();
    return;
  }
  if (m_fd && m_pending.empty() == m_watched) {
    m_watched = !m_watched;
    if (m_watched) {
      m_loop.watch(m_fd.get(), EPOLLOUT, [this](std::uint32_t) { flush(); });
    } else {
      m_loop.unwatch(m_fd.get());
    }
  }
  m_consumed(written);
}

OutputSource::OutputSource(
    os::EventLoop& loop, os::Fd fd, Hangup hangup, Taker taker, std::function<void()> on_end)
    : m_loop(loop), m_fd(std::move(fd)), m_hangup(hangup), m_taker(std::move(taker)),
      m_on_end(std::move(on_end)) {
  os::set_nonblocking(m_fd.get());
  watch();
}

void OutputSource::watch() {
  m_loop.watch(m_fd.get(), EPOLLIN, [this](std::uint32_t) {
    if (!m_fd || m_paused) {
      return;
    }
    const auto read = read_once();
    if (read == Read::end) {
      end();
    } else if (read == Read::hangup) {
      set_hung_up();
    }
  });
}

OutputSource::~OutputSource() {
  close();
}

OutputSource::Read OutputSource::read_once() {
  std::array<char, k_read_size> buffer;
  auto count = ::read(m_fd.get(), buffer.data(), buffer.size());
  if (count < 0) {
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
      return Read::nothing;
    }
    return errno == EIO && m_hangup == Hangup::may_pass ? Read::hangup : Read::end;
  }
  if (count == 0) {
    return Read::end;
  }
  if (!m_taker({buffer.data(), static_cast<std::size_t>(count)})) {
    set_paused(true);
    return Read::paused;
  }
  return Read::data;
}

void OutputSource::set_paused(bool paused) {
  if (m_fd && paused != m_paused) {
    m_paused = paused;
    // A hang-up is always reported; a paused descriptor must leave the loop altogether not to spin.
    if (is_hung_up()) {
      return; // left it already
    }
    if (paused) {
      m_loop.unwatch(m_fd.get());
    } else {
      watch();
    }
  }
}

void OutputSource::set_hung_up() {
  if (is_hung_up()) {
    return;
  }
  m_loop.unwatch(m_fd.get());
  m_hangup_timer = m_loop.after(k_look_for_hangup, [this] {
    m_hangup_timer = 0;
    if (!m_paused) {
      watch();
    }
  });
}

void OutputSource::resume() {
  set_paused(false);
}

bool OutputSource::drain() {
  for (int i = 0; m_fd && !m_paused && i < k_drain_reads; ++i) {
    switch (read_once()) {
    case Read::end:
      end();
      return true;
    case Read::hangup:
      set_hung_up();
      return true;
    case Read::nothing:
      return true;
    case Read::paused:
    case Read::data:
      break;
    }
  }
  return !m_paused;
}

void OutputSource::end() {
  close();
  if (m_on_end) {
    m_on_end();
  }
}

void OutputSource::close() {
  release().reset();
}

os::Fd OutputSource::release() {
  if (m_fd) {
    const bool watched = !m_paused && !is_hung_up();
    m_loop.cancel(std::exchange(m_hangup_timer, 0));
    if (watched) {
      m_loop.unwatch(m_fd.get());
    }
  }
  return std::exchange(m_fd, os::Fd());
}

} // namespace pyro::agent
