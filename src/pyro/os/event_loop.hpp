// One thread, one epoll(7): descriptors, timers and signals as callbacks. The agent and the supervisor live
// in one.
#pragma once

#include "fd.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace pyro::os {

class EventLoop {
public:
  using Callback = std::function<void()>;
  using FdCallback = std::function<void(std::uint32_t epoll_events)>;
  using TimerId = std::uint64_t;

  EventLoop();
  ~EventLoop();

  /// Watches a descriptor (EPOLLIN, EPOLLOUT, ...); it must stay open until unwatch().
  void watch(int fd, std::uint32_t events, FdCallback callback);
  void modify(int fd, std::uint32_t events);
  void unwatch(int fd);

  /// Calls back once, `delay` from now (monotonic).
  TimerId after(std::chrono::milliseconds delay, Callback callback);
  void cancel(TimerId timer);

  /// Calls back in a later turn of the loop, before waiting again. For work that must not run inside another
  /// callback.
  void post(Callback callback);

  /// Blocks these signals in this thread and delivers them to the callback (signalfd(2)).
  void on_signals(const std::vector<int>& signals, std::function<void(int signal)> callback);

  /// Until stop(). Exceptions from callbacks leave run().
  void run();

  void stop() { m_stopping = true; }

  /// One wait and its callbacks; at most `limit` of waiting. For clients that wait for one answer.
  void turn(std::chrono::milliseconds limit);

private:
  struct Watch;

  void run_due_timers();
  void run_posted();

  Fd m_epoll;
  Fd m_signals;
  bool m_stopping = false;
  std::map<int, std::shared_ptr<Watch>> m_watches;
  std::map<std::pair<std::chrono::milliseconds, TimerId>, Callback> m_timers;
  std::map<TimerId, std::chrono::milliseconds> m_timer_times;
  TimerId m_next_timer = 1;
  std::vector<Callback> m_posted;
};

} // namespace pyro::os
