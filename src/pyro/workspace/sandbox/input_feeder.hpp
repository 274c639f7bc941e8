// Feeds a descriptor of ours to a call, as data_in, as fast as the other side takes it.
#pragma once

#include <pyro/os/event_loop.hpp>
#include <pyro/protocol/call.hpp>

#include <memory>

namespace pyro::workspace {

class InputFeeder {
public:
  /// fd -1: nothing is fed. The descriptor stays its owner's.
  InputFeeder(os::EventLoop& loop, int fd) : m_loop(loop), m_fd(fd) {}

  ~InputFeeder() { pause(); }

  InputFeeder(const InputFeeder&) = delete;
  InputFeeder& operator=(const InputFeeder&) = delete;

  void start(std::shared_ptr<protocol::Call> call);
  /// On the call's on_writable.
  void resume();

private:
  void pause();
  bool read_once();
  void read_file();

  os::EventLoop& m_loop;
  int m_fd;
  std::shared_ptr<protocol::Call> m_call;
  bool m_watching = false;
  bool m_ended = false;
};

} // namespace pyro::workspace
