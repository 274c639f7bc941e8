// /exec: one process with its streams, tied to one call. Lives until the process is gone, however the call
// ends.
#pragma once

#include "in_flight.hpp"
#include "launch.hpp"
#include "runtime.hpp"
#include "stream_io.hpp"

#include <pyro/protocol/call.hpp>
#include <pyro/protocol/requests.hpp>

#include <memory>
#include <optional>
#include <string>

namespace pyro::agent {

class ExecTask : public std::enable_shared_from_this<ExecTask> {
public:
  /// Starts it and answers the call when it is over. What cannot be started is a result, not an error.
  static void start(Runtime& runtime, const std::shared_ptr<protocol::Call>& call, const Json& request);
  /// /sftp: the same with serve_sftp() as the command.
  static void start_sftp(Runtime& runtime, const std::shared_ptr<protocol::Call>& call, const Json& request);

  ExecTask(Runtime& runtime, std::shared_ptr<protocol::Call> call)
      : m_runtime(runtime), m_call(std::move(call)) {}

  ~ExecTask();

private:
  void begin(const protocol::ExecRequest& request, int (*built_in)() = nullptr);
  LaunchResult launch_with_pipes(const protocol::ExecRequest& request, const LaunchRequest& what);
  LaunchResult launch_with_terminal(const protocol::TerminalSize& size, const LaunchRequest& what);
  void make_source(
      std::optional<OutputSource>& source, os::Fd fd, protocol::FrameType type, OutputSource::Hangup hangup);
  void make_input(os::Fd fd, InputSink::End end);
  void listen();
  void on_message(const Json& message);
  void on_gone();
  void on_timeout();
  void on_exit(os::Outcome outcome);
  void note_memory();
  void go_on();
  void try_finish();
  bool drain(bool& all_ended);
  bool has_to_wait();
  void try_again_after(std::chrono::milliseconds time);
  void send_signal(int signal);

  pid_t living_leader() const { return m_outcome ? 0 : m_pid; }

  Runtime& m_runtime;
  std::shared_ptr<protocol::Call> m_call;
  std::string m_marker;
  pid_t m_pid = -1;
  std::optional<InputSink> m_input;
  std::optional<OutputSource> m_out;
  std::optional<OutputSource> m_err;
  int m_terminal = -1; // the descriptor in m_out
  std::optional<os::Outcome> m_outcome;
  std::chrono::milliseconds m_started{0};
  os::EventLoop::TimerId m_timeout = 0;
  bool m_gone = false;
  bool m_timed_out = false;
  bool m_told_to_kill = false;
  std::string m_program; // as it was named
  std::int64_t m_oom_kills_before = 0;
  protocol::MemoryVictim m_oom_victim = protocol::MemoryVictim::none;
  std::string m_start_note;
  std::uint64_t m_ends = 0; // Runtime::ends at the start
  std::optional<protocol::ProcessesEnd> m_stopped;
  PipesOfCommand m_pipes; // empty where it has a terminal
  std::chrono::milliseconds m_ended{0};
  std::chrono::milliseconds m_next_look{0};
  os::EventLoop::TimerId m_look_timer = 0;
  bool m_finished = false;
};

} // namespace pyro::agent
