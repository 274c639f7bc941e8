#include "input_feeder.hpp"

#include <pyro/base/error.hpp>

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <unistd.h>
#include <utility>

namespace pyro::workspace {

void InputFeeder::start(std::shared_ptr<protocol::Call> call) {
  m_call = std::move(call);
  resume();
}

/// A regular file is always readable and cannot be polled, so it is read in portions.
void InputFeeder::resume() {
  if (m_fd < 0 || m_watching || m_ended) {
    return;
  }
  try {
    m_loop.watch(m_fd, EPOLLIN, [this](std::uint32_t) { read_once(); });
    m_watching = true;
  } catch (const Error& error) {
    if (error.error_number() != EPERM) {
      throw;
    }
    m_loop.post([this] { read_file(); });
  }
}

void InputFeeder::pause() {
  if (std::exchange(m_watching, false)) {
    m_loop.unwatch(m_fd);
  }
}

/// False: the end, or the other side takes no more for now.
bool InputFeeder::read_once() {
  std::array<char, 32768> buffer{};
  const auto count = ::read(m_fd, buffer.data(), buffer.size());
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
    return true;
  }
  if (count <= 0) {
    pause();
    m_ended = true;
    m_call->end_in();
    return false;
  }
  if (!m_call->send(
          protocol::FrameType::data_in, std::string_view(buffer.data(), static_cast<std::size_t>(count)))) {
    pause();
    return false;
  }
  return true;
}

void InputFeeder::read_file() {
  if (!m_ended && m_call->is_open() && read_once()) {
    m_loop.post([this] { read_file(); });
  }
}

} // namespace pyro::workspace
