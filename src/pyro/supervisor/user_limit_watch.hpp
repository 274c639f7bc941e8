// Keeps a sandbox from taking all that the kernel gives the user who started it (user_limits.hpp): when the
// user has no more and this sandbox holds more than its share, its processes are ended. One per supervisor of
// an ordinary user; sandboxes of root are users of their own to the kernel.
#pragma once

#include "child_answer.hpp"
#include "limit_stop.hpp"
#include "user_limits.hpp"

namespace pyro::supervisor {

class UserLimitWatch {
public:
  /// `first_process` is pid 1 of the sandbox.
  UserLimitWatch(os::EventLoop& loop, pid_t first_process, StopProcesses stop);
  ~UserLimitWatch();
  UserLimitWatch(const UserLimitWatch&) = delete;
  UserLimitWatch& operator=(const UserLimitWatch&) = delete;

  void begin() { rest(); }

  /// The last stop: {at, code, reason}; null: there was none.
  const Json& stopped() const { return m_stopped; }

private:
  void rest();
  void look();
  void judge(UserLimit limit, const std::string& answer);

  os::EventLoop& m_loop;
  os::Fd m_user_namespace;
  StopProcesses m_stop;
  UserLimitProbe m_probe;
  ChildAnswer m_answer;
  os::EventLoop::TimerId m_timer = 0;
  Json m_stopped;
};

} // namespace pyro::supervisor
