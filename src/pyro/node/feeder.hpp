// Feeds a descriptor that stays its owner's (standard input) to a stream, as fast as the other side takes it.
#pragma once

#include <pyro/os/event_loop.hpp>
#include <pyro/protocol/session.hpp>

namespace pyro::node {

class Feeder {
public:
  Feeder(os::EventLoop& loop, int fd) : m_loop(loop), m_fd(fd) {}

  ~Feeder() { pause(); }

  Feeder(const Feeder&) = delete;
  Feeder& operator=(const Feeder&) = delete;

  void start(protocol::Stream stream);
  /// On the stream's on_writable.
  void resume();
  /// Nobody takes it any more.
  void stop();

private:
  void pause();
  bool read_once();

  os::EventLoop& m_loop;
  int m_fd;
  protocol::Stream m_stream;
  bool m_is_watched = false;
  bool m_has_ended = false;
};

} // namespace pyro::node
