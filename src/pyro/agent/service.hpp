// One service: its process, its probes, its restarts. Order among services is ServiceManager's business.
#pragma once

#include "prober.hpp"
#include "runtime.hpp"
#include "service_log.hpp"
#include "stream_io.hpp"

#include <pyro/protocol/service_requests.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace pyro::agent {

class Service {
public:
  using State = protocol::ServiceState;
  using Failure = protocol::ServiceFailure;

  /// `on_change` is called after every change of state, from wherever it happened; it must not destroy the
  /// service.
  Service(Runtime& runtime, std::string name, std::function<void()> on_change);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  const std::string& name() const { return m_name; }

  const protocol::ServiceDefinition& definition() const { return m_definition; }

  /// Takes effect at once for probes and supervision, at the next start for the rest.
  void define(protocol::ServiceDefinition definition);

  /// A fresh start: restarts and the readiness deadline count from here. The service must not be up. A
  /// oneshot whose result the content has is completed by it.
  void start();
  /// The next start runs it, whatever the content has.
  void run_again();
  /// Stops the group (stop signal, grace, SIGKILL) or just the waiting for a restart. The state tells when it
  /// is done.
  void stop(std::chrono::milliseconds most_grace = std::chrono::hours(24));
  /// What was ready has to show it again: its machine is another one by now.
  void prove_readiness();
  /// Before or instead of a start: why there is none.
  void set_waiting(const std::string& reason);
  void fail(const std::string& reason, Failure failure);
  /// Its processes have been killed, for a limit of the whole sandbox: it fails, and is not started again.
  void fail_killed(const std::string& reason);

  /// Has a process, or will have one again after a pause.
  bool is_up() const { return m_pid > 0 || m_restart_timer != 0; }

  State state() const { return m_state; }

  bool is_started() const { return m_pid > 0 || m_state == State::completed; }

  bool is_ready() const { return m_state == State::ready || m_state == State::completed; }

  bool is_completed() const;
  /// Ended, and not by itself going to change.
  bool is_over() const;

  ServiceLog& log() { return m_log; }

  protocol::ServiceStatus status(std::size_t tail_lines, std::size_t tail_width) const;

private:
  enum class Ending { none, requested, deadline, liveness, overtime, killed };

  void run();
  void begin_readiness();
  void begin_liveness();
  void on_probe(const ProbeOutcome& outcome, int in_a_row);
  void become_ready();
  void on_deadline();
  void on_exit(os::Outcome outcome, const std::string& note);
  void after_exit(Failure failure, const std::string& what);
  void restart_later(const std::string& what);
  void end_run(Ending ending, std::chrono::milliseconds grace);
  void set_state(State state, const std::string& reason = {}, Failure failure = Failure::none);
  void note_completion();
  void cancel_timers();
  void add_source(std::optional<OutputSource>& source, os::Fd fd, LogStream stream);
  std::string with_hint(const std::string& text) const;
  ProbeSubject subject() const;

  Runtime& m_runtime;
  std::string m_name;
  std::function<void()> m_on_change;
  protocol::ServiceDefinition m_definition;
  State m_state = State::waiting;
  Failure m_failure = Failure::none;
  std::string m_reason;
  std::string m_last_probe;
  std::string m_stop_reason;
  std::string m_marker;
  pid_t m_pid = -1;
  double m_started_at = 0;
  std::int64_t m_memory_kills_before = 0; // when it was started
  double m_ready_at = 0;
  double m_ended_at = 0;
  std::timespec m_started{};
  std::chrono::milliseconds m_first_start{0};
  std::optional<int> m_exit_code;
  int m_signal = 0;
  int m_restarts = 0;
  int m_oom_kills = 0;
  int m_budget_used = 0;
  bool m_was_ready = false;
  Ending m_ending = Ending::none;
  ServiceLog m_log;
  std::optional<OutputSource> m_out;
  std::optional<OutputSource> m_err;
  std::unique_ptr<Prober> m_readiness;
  std::unique_ptr<Prober> m_liveness;
  os::EventLoop::TimerId m_ready_timer = 0; // no probe: ready after a second
  os::EventLoop::TimerId m_deadline_timer = 0;
  os::EventLoop::TimerId m_restart_timer = 0;
  os::EventLoop::TimerId m_kill_timer = 0;
  os::EventLoop::TimerId m_run_timer = 0; // oneshot: time limit
  ServiceLog::ListenerId m_log_listener = 0;
};

} // namespace pyro::agent
