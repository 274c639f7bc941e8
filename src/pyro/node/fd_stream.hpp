// Ties a descriptor (a pipe or socket) to a stream of a session: what is read there is sent, what comes is
// written there, each at the pace of the other side. Holds a window of the stream at most.
#pragma once

#include <pyro/os/event_loop.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/protocol/session.hpp>

#include <functional>
#include <memory>
#include <string>

namespace pyro::node {

class FdStream : public std::enable_shared_from_this<FdStream> {
public:
  enum class Way {
    both, // a socket
    in,   // what comes is written: the other end reads
    out,  // what is read there is sent
  };

  FdStream(os::EventLoop& loop, os::Fd fd, Way way);
  ~FdStream();
  FdStream(const FdStream&) = delete;
  FdStream& operator=(const FdStream&) = delete;

  /// For the stream that start() gets. They keep this alive.
  protocol::StreamEvents events();
  void start(protocol::Stream stream);
  /// Nobody will write to the descriptor any more, though it may be open elsewhere: sends what is there and
  /// ends the stream.
  void drain();

private:
  void on_ready(std::uint32_t epoll_events);
  void read_some();
  void flush();
  void watch();
  void close();

  os::EventLoop& m_loop;
  os::Fd m_fd;
  Way m_way;
  protocol::Stream m_stream;
  std::string m_pending; // came, and is not written yet
  std::uint32_t m_watched = 0;
  bool m_is_paused = false; // the stream takes no more for now
  bool m_has_read_all = false;
  bool m_is_draining = false;
  bool m_has_all = false; // no more will come
};

} // namespace pyro::node
