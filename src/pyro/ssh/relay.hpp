// Bytes of one descriptor to another, as fast as the other takes them and no faster.
#pragma once

#include <pyro/os/event_loop.hpp>
#include <pyro/os/fd.hpp>

#include <string>

namespace pyro::ssh {

class Relay {
public:
  /// Both are made non-blocking, and must be such that can be waited for.
  Relay(os::EventLoop& loop, os::Fd from, os::Fd to);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  /// Nothing more comes, or nobody takes it; `to` is closed.
  bool is_over() const { return !m_to; }

private:
  void read_some();
  void write_some();
  void end();

  os::EventLoop& m_loop;
  os::Fd m_from;
  os::Fd m_to;
  std::string m_pending;
  bool m_is_writing = false; // waits for `to`, not for `from`
};

} // namespace pyro::ssh
