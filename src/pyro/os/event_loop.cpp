#include "event_loop.hpp"

#include "clock.hpp"

#include <pyro/base/error.hpp>

#include <sys/epoll.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <unistd.h>
#include <utility>

namespace pyro::os {

struct EventLoop::Watch {
  FdCallback callback;
  bool active = true;
};

EventLoop::EventLoop() : m_epoll(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!m_epoll) {
    throw Error::from_errno(errno, "epoll_create1");
  }
}

EventLoop::~EventLoop() = default;

void EventLoop::watch(int fd, std::uint32_t events, FdCallback callback) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (::epoll_ctl(m_epoll.get(), EPOLL_CTL_ADD, fd, &event) < 0) {
    throw Error::from_errno(errno, "epoll_ctl(ADD)");
  }
  auto entry = std::make_shared<Watch>();
  entry->callback = std::move(callback);
  m_watches[fd] = std::move(entry);
}

void EventLoop::modify(int fd, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (::epoll_ctl(m_epoll.get(), EPOLL_CTL_MOD, fd, &event) < 0) {
    throw Error::from_errno(errno, "epoll_ctl(MOD)");
  }
}

void EventLoop::unwatch(int fd) {
  const auto found = m_watches.find(fd);
  if (found == m_watches.end()) {
    return;
  }
  found->second->active = false;
  m_watches.erase(found);
  ::epoll_ctl(m_epoll.get(), EPOLL_CTL_DEL, fd, nullptr);
}

EventLoop::TimerId EventLoop::after(std::chrono::milliseconds delay, Callback callback) {
  const auto id = m_next_timer++;
  const auto due = now_monotonic() + delay;
  m_timers.emplace(std::pair(due, id), std::move(callback));
  m_timer_times.emplace(id, due);
  return id;
}

void EventLoop::cancel(TimerId timer) {
  const auto found = m_timer_times.find(timer);
  if (found != m_timer_times.end()) {
    m_timers.erase({found->second, timer});
    m_timer_times.erase(found);
  }
}

void EventLoop::post(Callback callback) {
  m_posted.push_back(std::move(callback));
}

void EventLoop::on_signals(const std::vector<int>& signals, std::function<void(int)> callback) {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : signals) {
    sigaddset(&set, number);
  }
  sigprocmask(SIG_BLOCK, &set, nullptr);
  m_signals = Fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!m_signals) {
    throw Error::from_errno(errno, "signalfd");
  }
  watch(m_signals.get(), EPOLLIN, [this, callback = std::move(callback)](std::uint32_t) {
    signalfd_siginfo info{};
    while (::read(m_signals.get(), &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info))) {
      callback(static_cast<int>(info.ssi_signo));
    }
  });
}

void EventLoop::run() {
  m_stopping = false;
  while (!m_stopping) {
    turn(std::chrono::hours(1));
  }
}

void EventLoop::run_due_timers() {
  const auto now = now_monotonic();
  while (!m_timers.empty() && m_timers.begin()->first.first <= now) {
    const auto first = m_timers.begin();
    const auto callback = std::move(first->second);
    m_timer_times.erase(first->first.second);
    m_timers.erase(first);
    callback();
  }
}

void EventLoop::run_posted() {
  for (auto& callback : std::exchange(m_posted, {})) {
    callback();
  }
}

void EventLoop::turn(std::chrono::milliseconds limit) {
  // What was posted may be just what the caller waits for, so it is not made to wait after it.
  const bool had_posted = !m_posted.empty();
  run_posted();
  auto wait = limit;
  if (had_posted || !m_posted.empty() || m_stopping) {
    wait = std::chrono::milliseconds(0);
  } else if (!m_timers.empty()) {
    wait = std::clamp(m_timers.begin()->first.first - now_monotonic(), std::chrono::milliseconds(0), limit);
  }
  std::array<epoll_event, 32> events{};
  const int count = ::epoll_wait(
      m_epoll.get(), events.data(), static_cast<int>(events.size()), static_cast<int>(wait.count()));
  if (count < 0 && errno != EINTR) {
    throw Error::from_errno(errno, "epoll_wait");
  }
  for (int index = 0; index < count; ++index) {
    const auto& event = events[static_cast<std::size_t>(index)];
    const auto found = m_watches.find(event.data.fd);
    if (found != m_watches.end()) {
      const auto entry = found->second; // keeps the callback alive while it unwatches itself
      if (entry->active) {
        entry->callback(event.events);
      }
    }
  }
  run_due_timers();
}

} // namespace pyro::os
