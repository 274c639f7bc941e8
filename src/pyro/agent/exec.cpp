#include "exec.hpp"

#include "call_input.hpp"
#include "lineage.hpp"
#include "sftp.hpp"
#include "start_report.hpp"
#include "sync_writes.hpp"
#include "terminal.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/random.hpp>

#include <algorithm>
#include <csignal>
#include <fcntl.h>

namespace pyro::agent {

namespace {

using protocol::FrameType;

constexpr std::chrono::milliseconds k_cancel_grace{2000};
/// What children in the background write so soon after the end of their command still belongs to it.
constexpr std::chrono::milliseconds k_linger{50};
/// How long who was forked last may take to sort its descriptors out.
constexpr std::chrono::milliseconds k_forked_just_now{1000};
/// The end of a filter is seen at once where nobody else has the output open, otherwise by looking, ever
/// more seldom.
constexpr std::chrono::milliseconds k_first_look{10};
constexpr std::chrono::milliseconds k_last_look{250};
constexpr int k_timeout_exit_code = 124;

} // namespace

void ExecTask::start(Runtime& runtime, const std::shared_ptr<protocol::Call>& call, const Json& request) {
  auto checked = protocol::exec_request_from_json(request);
  std::make_shared<ExecTask>(runtime, call)->begin(checked);
}

void ExecTask::start_sftp(
    Runtime& runtime, const std::shared_ptr<protocol::Call>& call, const Json& request) {
  auto checked = protocol::sftp_request_from_json(request);
  protocol::ExecRequest command;
  command.argv = {"sftp-server"};
  command.cwd = std::move(checked.cwd);
  command.user = std::move(checked.user);
  command.wants_stdin = true;
  std::make_shared<ExecTask>(runtime, call)->begin(command, serve_sftp);
}

ExecTask::~ExecTask() {
  m_runtime.loop.cancel(m_timeout);
}

void ExecTask::begin(const protocol::ExecRequest& request, int (*built_in)()) {
  m_marker = os::random_hex(8);
  m_started = os::now_monotonic();
  m_program = request.argv.front();
  m_oom_kills_before = m_runtime.memory_kills.count();
  m_ends = m_runtime.ends;
  LaunchRequest what{request.argv, request.cwd, request.env, request.user, m_marker, built_in};
  auto launched = request.pty ? launch_with_terminal(*request.pty, what) : launch_with_pipes(request, what);
  if (!launched.ok()) {
    protocol::ExecResult result;
    result.exit_code = launched.exit_code;
    result.stderr_note = launched.note;
    m_call->finish(to_json(result));
    return;
  }
  m_pid = launched.pid;
  auto self = shared_from_this();
  m_runtime.reaper.watch(m_pid, [self](os::Outcome outcome) { self->on_exit(outcome); });
  if (request.timeout_ms > 0) {
    m_timeout =
        m_runtime.loop.after(std::chrono::milliseconds(request.timeout_ms), [weak = weak_from_this()] {
          if (auto here = weak.lock()) {
            here->on_timeout();
          }
        });
  }
  m_call->send(Json{{"started", {{"pid", m_pid}}}});
  listen();
}

LaunchResult ExecTask::launch_with_pipes(const protocol::ExecRequest& request, const LaunchRequest& what) {
  auto out = os::make_pipe();
  auto err = os::make_pipe();
  os::Pipe in;
  if (request.wants_stdin) {
    in = os::make_pipe();
  } else {
    in.read_end = os::duplicate(m_runtime.nothing.get());
  }
  auto launched = launch(what, {in.read_end.get(), out.write_end.get(), err.write_end.get()});
  if (launched.ok()) {
    m_pipes = {
        launched.pid,
        {*pipe_of(out.read_end.get()), *pipe_of(err.read_end.get())},
        pipe_of(in.read_end.get())};
    make_source(m_out, std::move(out.read_end), FrameType::data_out, OutputSource::Hangup::is_the_end);
    make_source(m_err, std::move(err.read_end), FrameType::data_err, OutputSource::Hangup::is_the_end);
    if (in.write_end) {
      make_input(std::move(in.write_end), InputSink::End::close);
    }
  }
  return launched;
}

LaunchResult ExecTask::launch_with_terminal(const protocol::TerminalSize& size, const LaunchRequest& what) {
  auto terminal = open_terminal(size.cols, size.rows);
  auto slave = terminal.slave.get();
  auto launched = launch(what, {slave, slave, slave, true});
  if (launched.ok()) {
    make_input(os::duplicate(terminal.master.get()), InputSink::End::terminal_eof);
    m_terminal = terminal.master.get();
    make_source(m_out, std::move(terminal.master), FrameType::data_out, OutputSource::Hangup::may_pass);
  }
  return launched;
}

void ExecTask::make_source(
    std::optional<OutputSource>& source, os::Fd fd, FrameType type, OutputSource::Hangup hangup) {
  source.emplace(
      m_runtime.loop, std::move(fd), hangup,
      [this, type](std::string_view bytes) { return m_gone || m_call->send(type, bytes); },
      [this] {
        if (m_out && m_out->has_ended()) {
          m_terminal = -1;
        }
        // Not from within the source's own callback.
        m_runtime.loop.post([weak = weak_from_this()] {
          if (auto self = weak.lock()) {
            self->try_finish();
          }
        });
      });
}

void ExecTask::make_input(os::Fd fd, InputSink::End end) {
  m_input.emplace(
      m_runtime.loop, std::move(fd), end, [call = m_call](std::size_t count) { call->consume(count); });
}

void ExecTask::listen() {
  auto self = shared_from_this();
  auto events = input_events(m_call, {self, &m_input});
  events.on_message = [self](const Json& message) {
    self->on_message(message);
  };
  events.on_writable = [self] {
    self->go_on();
  };
  events.on_gone = [self] {
    self->on_gone();
  };
  m_call->set_events(std::move(events));
}

void ExecTask::on_message(const Json& message) {
  if (auto name = maybe_string(message, "signal")) {
    auto number = os::signal_number(*name);
    if (!number) {
      throw Error(ErrorCode::invalid_argument, "'{}' is no signal", *name);
    }
    send_signal(*number);
  }
  if (auto size = message.find("resize"); size != message.end()) {
    auto wanted = protocol::terminal_size_from_json(*size);
    if (m_terminal >= 0) {
      resize_terminal(m_terminal, wanted.cols, wanted.rows);
    }
  }
}

void ExecTask::send_signal(int signal) {
  if (m_outcome) {
    return;
  }
  m_told_to_kill = m_told_to_kill || signal == SIGKILL;
  signal_session(m_pid, m_terminal, signal);
}

void ExecTask::on_gone() {
  if (m_gone || m_finished) {
    return;
  }
  m_gone = true;
  m_input.reset();
  send_signal(SIGTERM);
  if (m_terminal >= 0) {
    send_signal(SIGHUP); // shells in a terminal do not listen to SIGTERM
  }
  send_signal(SIGCONT);
  auto self = shared_from_this();
  m_runtime.loop.after(k_cancel_grace, [self] { kill_lineage(self->living_leader(), self->m_marker); });
  go_on();
}

void ExecTask::on_timeout() {
  m_timed_out = true;
  kill_lineage(living_leader(), m_marker);
}

void ExecTask::on_exit(os::Outcome outcome) {
  m_outcome = outcome;
  m_ended = os::now_monotonic();
  m_start_note = note_of_failed_start(m_pid).value_or("");
  m_runtime.loop.cancel(m_timeout);
  if (outcome.signal == SIGKILL && m_runtime.ends != m_ends) {
    m_stopped = m_runtime.last_end;
  }
  if (m_timed_out) {
    kill_lineage(0, m_marker); // who was forked while we were killing
  }
  note_memory();
  try_finish();
}

/// A shell says of a child that was killed what it would say of itself; other programs (make, npm) fail in
/// their own way.
void ExecTask::note_memory() {
  if (m_timed_out || m_told_to_kill || m_gone || m_outcome->ok()) {
    return;
  }
  using protocol::MemoryVictim;
  auto& kills = m_runtime.memory_kills;
  if (m_outcome->shell_status() == 128 + SIGKILL) {
    if (kills.explains("the command " + m_program, m_oom_kills_before)) {
      m_oom_victim = m_outcome->signal == SIGKILL ? MemoryVictim::command : MemoryVictim::process_of_it;
    }
  } else if (kills.count() > m_oom_kills_before) {
    m_oom_victim = MemoryVictim::somebody;
  }
}

void ExecTask::go_on() {
  for (auto* source : {&m_out, &m_err}) {
    if (*source) {
      (*source)->resume();
    }
  }
  try_finish();
}

/// False where the caller is slow: on_writable goes on.
bool ExecTask::drain(bool& all_ended) {
  all_ended = true;
  for (auto* source : {&m_out, &m_err}) {
    if (*source && !(*source)->has_ended()) {
      if (!(*source)->drain()) {
        return false;
      }
      all_ended = all_ended && ((*source)->has_ended() || (*source)->is_hung_up());
    }
  }
  return true;
}

void ExecTask::try_again_after(std::chrono::milliseconds time) {
  if (m_look_timer == 0) {
    m_look_timer = m_runtime.loop.after(time, [self = shared_from_this()] {
      self->m_look_timer = 0;
      self->try_finish();
    });
  }
}

/// The process has ended, and others have its output open.
bool ExecTask::has_to_wait() {
  if (m_timed_out) {
    return false;
  }
  const auto since = os::now_monotonic() - m_ended;
  if (since < k_linger) {
    try_again_after(k_linger - since);
    return true;
  }
  const auto forked = since < k_forked_just_now ? Forked::just_now : Forked::at_rest;
  if (m_look_timer == 0 && !m_pipes.outputs.empty() && is_in_flight(m_pipes, forked)) {
    m_next_look = std::clamp(m_next_look * 2, k_first_look, k_last_look);
    try_again_after(m_next_look);
  }
  return m_look_timer != 0;
}

void ExecTask::try_finish() {
  bool all_ended = true;
  if (!m_outcome || m_finished || !drain(all_ended)) {
    return;
  }
  // Drained again: who is no longer there may have written last just before.
  if (!all_ended && (has_to_wait() || !drain(all_ended))) {
    return;
  }
  m_finished = true;
  protocol::ExecResult result;
  result.exit_code = m_timed_out ? k_timeout_exit_code : m_outcome->shell_status();
  result.signal = m_timed_out ? 0 : m_outcome->signal;
  result.timed_out = m_timed_out;
  result.oom_kills = m_runtime.memory_kills.count() - m_oom_kills_before;
  result.oom_victim = m_oom_victim;
  if (m_oom_victim != protocol::MemoryVictim::none) {
    result.oom_note = m_runtime.memory_kills.reason();
  }
  result.stderr_note = m_start_note;
  if (m_stopped) {
    result.stopped_by = m_stopped->code;
    result.stderr_note = "stopped: " + m_stopped->reason;
  }
  result.duration_ms = (os::now_monotonic() - m_started).count();
  sync_writes(m_runtime, [call = m_call, answer = to_json(result)] { call->finish(answer); });
  m_input.reset();
  if (m_terminal < 0) {
    m_runtime.left_pipes.take(m_runtime.loop, m_out);
    m_runtime.left_pipes.take(m_runtime.loop, m_err);
  }
  m_terminal = -1;
  m_out.reset();
  m_err.reset();
}

} // namespace pyro::agent
