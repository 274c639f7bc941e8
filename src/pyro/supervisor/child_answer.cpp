#include "child_answer.hpp"

#include <pyro/base/error.hpp>

#include <linux/close_range.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <unistd.h>
#include <utility>

namespace pyro::supervisor {

namespace {

constexpr std::size_t k_max_answer = 64 << 10;
constexpr std::chrono::milliseconds k_patience{120'000};
constexpr std::chrono::milliseconds k_read_pause{20};

/// Nothing of the supervisor's stays open in the child: who waits for the end of a connection must get it.
void keep_only(std::vector<int> kept) {
  std::erase_if(kept, [](int fd) { return fd < 0; });
  std::sort(kept.begin(), kept.end());
  unsigned from = 3;
  for (const int fd : kept) {
    if (static_cast<unsigned>(fd) > from) {
      ::syscall(SYS_close_range, from, static_cast<unsigned>(fd) - 1, 0U);
    }
    from = std::max(from, static_cast<unsigned>(fd) + 1);
  }
  ::syscall(SYS_close_range, from, ~0U, 0U);
}

} // namespace

void ChildAnswer::begin(std::vector<int> kept, const std::function<Json()>& work, Callback answered) {
  end();
  m_text.clear();
  auto pipe = os::make_pipe();
  const auto child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    kept.push_back(pipe.write_end.get());
    keep_only(std::move(kept));
    const auto text = work().dump(-1, ' ', false, Json::error_handler_t::replace);
    const auto written = ::write(pipe.write_end.get(), text.data(), std::min(text.size(), k_max_answer));
    ::_exit(written == static_cast<ssize_t>(text.size()) ? 0 : 1);
  }
  if (child < 0) {
    throw Error(ErrorCode::unavailable, "no process can be started");
  }
  m_child = os::Child(child);
  m_answer = std::move(pipe.read_end);
  m_answered = std::move(answered);
  listen();
  m_patience = m_loop.after(k_patience, [this] {
    m_patience = 0;
    m_child.signal(SIGKILL); // its end of the pipe closes
  });
}

/// A sandbox may have taken all watches that there are (user_limits.hpp): then the pipe is asked again and
/// again.
void ChildAnswer::listen() {
  os::set_nonblocking(m_answer.get());
  try {
    m_loop.watch(m_answer.get(), EPOLLIN, [this](std::uint32_t) { read_some(); });
    m_is_watched = true;
  } catch (const Error&) {
    read_later();
  }
}

void ChildAnswer::read_later() {
  m_next_read = m_loop.after(k_read_pause, [this] {
    m_next_read = 0;
    read_some();
  });
}

void ChildAnswer::read_some() {
  std::array<char, 4096> part{};
  const auto length = ::read(m_answer.get(), part.data(), part.size());
  const bool is_later = length < 0 && (errno == EAGAIN || errno == EINTR);
  if (length > 0 && m_text.size() < k_max_answer) {
    m_text.append(part.data(), static_cast<std::size_t>(length));
  }
  if (is_later || (length > 0 && m_text.size() < k_max_answer)) {
    if (!m_is_watched) {
      read_later();
    }
    return;
  }
  const auto answered = std::move(m_answered);
  const auto text = std::move(m_text);
  end();
  answered(text);
}

void ChildAnswer::end() {
  m_loop.cancel(std::exchange(m_patience, 0));
  m_loop.cancel(std::exchange(m_next_read, 0));
  if (std::exchange(m_is_watched, false)) {
    m_loop.unwatch(m_answer.get());
  }
  m_answer.reset();
  if (m_child.pid() > 0) {
    m_child = os::Child();
  }
}

} // namespace pyro::supervisor
