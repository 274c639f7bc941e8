// Descriptors of processes and sockets tied to calls, never holding more than a window's worth:
// InputSink writes what a call receives, OutputSource reads as long as somebody takes it.
#pragma once

#include <pyro/os/event_loop.hpp>
#include <pyro/os/fd.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace pyro::agent {

/// Writes to a descriptor without blocking; `consumed` learns how many bytes are dealt with (written, or
/// thrown away because nobody reads any more).
class InputSink {
public:
  enum class End { close, shutdown, terminal_eof };

  InputSink(os::EventLoop& loop, os::Fd fd, End end, std::function<void(std::size_t)> consumed);
  ~InputSink();
  InputSink(const InputSink&) = delete;
  InputSink& operator=(const InputSink&) = delete;

  void write(std::string_view bytes);
  /// No more to come: ends the descriptor's input once all is written.
  void end();

private:
  void flush();
  void close();

  os::EventLoop& m_loop;
  os::Fd m_fd;
  End m_end;
  std::function<void(std::size_t)> m_consumed;
  std::string m_pending;
  bool m_watched = false;
  bool m_ending = false;
};

/// Reads from a descriptor; pauses when the taker returns false, until resume().
class OutputSource {
public:
  using Taker = std::function<bool(std::string_view bytes)>;

  /// What it means that nobody has the other side open. For a terminal's master it may pass: a program that
  /// closes its streams before it exits has not ended yet, and closing the master then would end it by
  /// SIGHUP; and /dev/tty opens the terminal again. So it is kept, and looked at now and then, until close().
  enum class Hangup { is_the_end, may_pass };

  OutputSource(os::EventLoop& loop, os::Fd fd, Hangup hangup, Taker taker, std::function<void()> on_end);
  ~OutputSource();
  OutputSource(const OutputSource&) = delete;
  OutputSource& operator=(const OutputSource&) = delete;

  void resume();

  bool has_ended() const { return !m_fd; }

  bool is_paused() const { return m_paused; }

  /// At the moment nobody has the other side of the terminal open.
  bool is_hung_up() const { return m_hangup_timer != 0; }

  /// Takes what is there right now; true when there is nothing more at the moment (or ever), false when
  /// paused.
  bool drain();
  /// Closes; on_end is not called.
  void close();
  /// The descriptor, for somebody else to read on; none where it has ended. This has ended then.
  os::Fd release();

private:
  enum class Read { data, nothing, paused, hangup, end };

  void watch();
  Read read_once();
  void set_paused(bool paused);
  void set_hung_up();
  void end();

  os::EventLoop& m_loop;
  os::Fd m_fd;
  Hangup m_hangup;
  Taker m_taker;
  std::function<void()> m_on_end;
  bool m_paused = false;
  os::EventLoop::TimerId m_hangup_timer = 0;
};

} // namespace pyro::agent
