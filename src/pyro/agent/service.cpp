#include "service.hpp"

#include "done_once.hpp"
#include "lineage.hpp"
#include "start_report.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/random.hpp>

#include <csignal>
#include <fcntl.h>

namespace pyro::agent {

namespace {

using protocol::ProbeKind;
using protocol::RestartPolicy;
using std::chrono::milliseconds;

constexpr milliseconds k_first_backoff{100};
constexpr milliseconds k_last_backoff{5000};
constexpr milliseconds k_default_liveness_interval{10000};
/// Who was ready for so long has earned all its restarts again.
constexpr double k_stable_seconds = 60;
constexpr std::size_t k_max_reason = 300;

std::string shortened(std::string text, std::size_t limit) {
  if (text.size() > limit) {
    text.resize(limit);
    text += "...";
  }
  return text;
}

} // namespace

Service::Service(Runtime& runtime, std::string name, std::function<void()> on_change)
    : m_runtime(runtime), m_name(std::move(name)), m_on_change(std::move(on_change)) {
  const auto look = [this] {
    if (m_readiness && m_readiness->probe().kind == ProbeKind::log) {
      m_readiness->poke();
    }
  };
  m_log_listener = m_log.listen([look](const LogLine&) { look(); });
  m_log.on_long_line(look);
}

Service::~Service() {
  cancel_timers();
  m_runtime.services.erase(m_name);
  m_runtime.loop.cancel(m_kill_timer);
  if (m_pid > 0) {
    m_runtime.reaper.forget(m_pid);
    kill_lineage(m_pid, m_marker);
  }
  for (auto* source : {&m_out, &m_err}) {
    m_runtime.left_pipes.take(m_runtime.loop, *source);
  }
}

bool Service::is_completed() const {
  return m_state == State::completed || (m_state == State::exited && m_exit_code == 0);
}

bool Service::is_over() const {
  return m_state == State::failed || m_state == State::exited || m_state == State::stopped
         || m_state == State::completed;
}

void Service::set_state(State state, const std::string& reason, Failure failure) {
  m_state = state;
  m_failure = failure;
  m_reason = shortened(reason, k_max_reason);
  m_on_change();
}

void Service::set_waiting(const std::string& reason) {
  if (m_state != State::waiting || m_reason != reason) {
    set_state(State::waiting, reason);
  }
}

void Service::fail(const std::string& reason, Failure failure) {
  set_state(State::failed, reason, failure);
}

void Service::fail_killed(const std::string& reason) {
  if (!is_up() || m_ending != Ending::none) {
    return; // it ends anyway, and by its own reason
  }
  cancel_timers();
  if (m_pid > 0) {
    m_ending = Ending::killed;
  }
  fail(reason, Failure::own);
}

void Service::define(protocol::ServiceDefinition definition) {
  auto text = [](const std::optional<protocol::Probe>& probe) {
    return probe ? to_json(*probe) : Json();
  };
  bool readiness_changed = text(definition.readiness) != text(m_definition.readiness);
  bool liveness_changed = text(definition.liveness) != text(m_definition.liveness);
  const bool was_noted = std::exchange(m_definition, std::move(definition)).once_per_content;
  if (m_state == State::completed && !was_noted) {
    note_completion();
  }
  if (m_pid <= 0 || m_ending != Ending::none) {
    return;
  }
  if (readiness_changed) {
    m_first_start = os::now_monotonic();
    begin_readiness();
  }
  if (liveness_changed && m_was_ready) {
    begin_liveness();
  }
}

void Service::cancel_timers() {
  for (auto* timer : {&m_ready_timer, &m_deadline_timer, &m_restart_timer, &m_run_timer}) {
    m_runtime.loop.cancel(std::exchange(*timer, 0));
  }
  m_readiness.reset();
  m_liveness.reset();
}

void Service::start() {
  cancel_timers();
  m_restarts = 0;
  m_budget_used = 0;
  m_stop_reason.clear();
  m_first_start = os::now_monotonic();
  if (m_definition.once_per_content && is_done(m_name, m_definition.definition_digest)) {
    set_state(State::completed, "the content has its result already");
    return;
  }
  run();
}

void Service::run_again() {
  if (m_definition.once_per_content) {
    forget_done(m_name);
  }
}

/// Before anybody hears of it: a snapshot that is taken then has the note.
void Service::note_completion() {
  if (!m_definition.once_per_content) {
    return;
  }
  try {
    note_done(m_name, m_definition.definition_digest);
  } catch (const Error& error) {
    m_log.append(LogStream::err, fmt::format("pyro: it will run again: {}\n", error.what()));
  }
}

void Service::add_source(std::optional<OutputSource>& source, os::Fd fd, LogStream stream) {
  m_runtime.left_pipes.take(m_runtime.loop, source); // who took leave of the last run
  source.emplace(
      m_runtime.loop, std::move(fd), OutputSource::Hangup::is_the_end,
      [this, stream](std::string_view bytes) {
        m_log.append(stream, bytes);
        return true;
      },
      nullptr);
}

ProbeSubject Service::subject() const {
  LaunchRequest how{{}, m_definition.cwd, m_definition.env, m_definition.user, {}};
  return {m_name, std::move(how), &m_log, m_started};
}

void Service::run() {
  if (!m_marker.empty()) {
    kill_lineage(0, m_marker); // what the last run left behind would hold its ports
  }
  m_marker = os::random_hex(8);
  m_log.mark_start();
  m_was_ready = false;
  m_ready_at = 0;
  m_ended_at = 0;
  m_exit_code.reset();
  m_signal = 0;
  m_ending = Ending::none;
  m_last_probe.clear();
  m_started_at = os::now_epoch();
  m_memory_kills_before = m_runtime.memory_kills.count();
  ::clock_gettime(CLOCK_REALTIME_COARSE, &m_started);

  LaunchResult launched;
  try {
    auto out = os::make_pipe();
    auto err = os::make_pipe();
    LaunchRequest what{m_definition.argv, m_definition.cwd, m_definition.env, m_definition.user, m_marker};
    launched = launch(what, {m_runtime.nothing.get(), out.write_end.get(), err.write_end.get()});
    if (launched.ok()) {
      add_source(m_out, std::move(out.read_end), LogStream::out);
      add_source(m_err, std::move(err.read_end), LogStream::err);
    }
  } catch (const Error& error) {
    launched = {-1, 126, error.message()};
  }
  if (!launched.ok()) {
    on_exit({launched.exit_code, 0}, launched.note);
    return;
  }
  m_pid = launched.pid;
  m_runtime.services[m_name] = {m_pid, m_marker};
  m_runtime.reaper.watch(
      m_pid, [this](os::Outcome outcome) { on_exit(outcome, note_of_failed_start(m_pid).value_or("")); });
  if (m_definition.oneshot && m_definition.timeout_ms > 0) {
    m_run_timer = m_runtime.loop.after(milliseconds(m_definition.timeout_ms), [this] {
      end_run(Ending::overtime, milliseconds(m_definition.stop_grace_ms));
    });
  }
  begin_readiness();
}

void Service::begin_readiness() {
  for (auto* timer : {&m_ready_timer, &m_deadline_timer}) {
    m_runtime.loop.cancel(std::exchange(*timer, 0));
  }
  m_readiness.reset();
  if (!m_definition.readiness) {
    if (!m_definition.oneshot) {
      m_ready_timer =
          m_runtime.loop.after(milliseconds(m_definition.ready_after_ms), [this] { become_ready(); });
    }
    set_state(State::running);
    return;
  }
  auto& probe = *m_definition.readiness;
  auto left = m_first_start + milliseconds(probe.deadline_ms) - os::now_monotonic();
  m_deadline_timer = m_runtime.loop.after(std::max(left, milliseconds(0)), [this] { on_deadline(); });
  m_readiness = std::make_unique<Prober>(
      m_runtime, probe, subject(), Prober::FirstAttempt::at_once,
      [this](const ProbeOutcome& outcome, int in_a_row) { on_probe(outcome, in_a_row); });
  set_state(State::starting);
}

void Service::on_probe(const ProbeOutcome& outcome, int in_a_row) {
  m_last_probe = shortened(outcome.detail, k_max_reason);
  if (outcome.ok && Reaper::has_ended(m_pid)) {
    return; // whoever spoke for it: on_exit() follows
  }
  auto& probe = m_readiness->probe();
  if (outcome.ok && in_a_row >= probe.successes && m_state == State::starting) {
    if (!probe.watch) {
      m_readiness.reset();
    }
    become_ready();
  } else if (!outcome.ok && in_a_row >= probe.failures && m_state == State::ready) {
    set_state(State::starting, "no longer ready: " + outcome.detail);
  }
}

void Service::become_ready() {
  m_ready_timer = 0;
  m_runtime.loop.cancel(std::exchange(m_deadline_timer, 0));
  bool first = !std::exchange(m_was_ready, true);
  m_ready_at = os::now_epoch();
  if (first) {
    begin_liveness();
  }
  set_state(State::ready);
}

void Service::prove_readiness() {
  if (m_pid > 0 && m_ending == Ending::none && m_definition.readiness) {
    m_first_start = os::now_monotonic();
    begin_readiness();
  }
}

void Service::begin_liveness() {
  m_liveness.reset();
  if (!m_definition.liveness) {
    return;
  }
  auto probe = *m_definition.liveness;
  if (probe.interval_ms == 0) {
    probe.interval_ms = k_default_liveness_interval.count();
  }
  m_liveness = std::make_unique<Prober>(
      m_runtime, probe, subject(), Prober::FirstAttempt::after_interval,
      [this](const ProbeOutcome& outcome, int in_a_row) {
        m_last_probe = shortened(outcome.detail, k_max_reason);
        if (!outcome.ok && in_a_row >= m_liveness->probe().failures) {
          end_run(Ending::liveness, milliseconds(m_definition.stop_grace_ms));
        }
      });
}

void Service::end_run(Ending ending, milliseconds grace) {
  cancel_timers();
  m_ending = ending;
  if (m_pid <= 0) {
    on_exit({m_exit_code.value_or(0), m_signal}, {}); // between two runs: nothing but the decision is left
    return;
  }
  auto signal = os::signal_number(m_definition.stop_signal).value_or(SIGTERM);
  m_stop_reason = lower_case(os::signal_name(signal));
  ::kill(-m_pid, signal);
  ::kill(-m_pid, SIGCONT);
  m_runtime.loop.cancel(m_kill_timer);
  m_kill_timer = m_runtime.loop.after(grace, [this] {
    m_kill_timer = 0;
    m_stop_reason = "sigkill";
    kill_lineage(m_pid, m_marker);
  });
}

void Service::on_deadline() {
  m_deadline_timer = 0;
  auto last = m_last_probe.empty() ? "none" : m_last_probe;
  auto limit = m_definition.readiness ? m_definition.readiness->deadline_ms : 0;
  // Whoever waits learns it now, not when the process is gone.
  set_state(
      State::failed, with_hint(fmt::format("not ready within {} ms; last probe: {}", limit, last)),
      Failure::timeout);
  end_run(Ending::deadline, milliseconds(m_definition.stop_grace_ms));
}

void Service::stop(milliseconds most_grace) {
  if (is_up()) {
    end_run(Ending::requested, std::min(most_grace, milliseconds(m_definition.stop_grace_ms)));
    return;
  }
  cancel_timers();
  if (!m_marker.empty()) {
    kill_lineage(0, m_marker);
  }
  if (!is_over()) {
    set_state(State::stopped);
  }
}

void Service::on_exit(os::Outcome outcome, const std::string& note) {
  const auto leader = std::exchange(m_pid, -1);
  m_runtime.services[m_name] = {0, m_marker};
  m_ended_at = os::now_epoch();
  cancel_timers();
  m_runtime.loop.cancel(std::exchange(m_kill_timer, 0));
  for (auto* source : {&m_out, &m_err}) {
    if (*source) {
      (*source)->drain();
    }
  }
  m_log.finish_lines();
  m_exit_code = outcome.shell_status();
  m_signal = outcome.signal;
  auto ending = std::exchange(m_ending, Ending::none);
  if (ending != Ending::none) {
    kill_lineage(0, m_marker);
  }
  auto what = note.empty() ? os::to_string(outcome) : note;
  const bool was_killed = ending == Ending::none && outcome.shell_status() == 128 + SIGKILL;
  if (was_killed && m_runtime.memory_kills.explains("the service " + m_name, m_memory_kills_before)) {
    what = m_runtime.memory_kills.reason();
    ++m_oom_kills;
  } else if (!outcome.ok() && m_runtime.memory_kills.count() > m_memory_kills_before) {
    what += "; a process was killed while it ran: " + m_runtime.memory_kills.what();
  }
  switch (ending) {
  case Ending::requested:
    set_state(State::stopped);
    break;
  case Ending::deadline:
  case Ending::killed:
    m_on_change(); // failed already
    break;
  case Ending::overtime:
    after_exit(Failure::timeout, fmt::format("not completed within {} ms", m_definition.timeout_ms));
    break;
  case Ending::liveness:
    after_exit(Failure::own, "no longer alive: " + m_last_probe);
    break;
  case Ending::none: {
    const bool is_daemon = outcome.ok() && !m_definition.oneshot && !find_lineage(leader, m_marker).empty();
    after_exit(
        outcome.ok() ? is_daemon ? Failure::background : Failure::none : Failure::own,
        is_daemon ? "it went to the background" : what);
    break;
  }
  }
}

void Service::after_exit(Failure failure, const std::string& what) {
  const bool failed = failure == Failure::own || failure == Failure::timeout;
  if (m_definition.oneshot && !failed) {
    note_completion();
    set_state(State::completed);
    return;
  }
  if (m_was_ready && os::now_epoch() - m_ready_at >= k_stable_seconds) {
    m_budget_used = 0;
  }
  bool wanted = m_definition.restart == RestartPolicy::always
                || (m_definition.restart == RestartPolicy::on_failure && failed);
  if (wanted && m_budget_used < m_definition.max_restarts) {
    restart_later(what);
    return;
  }
  auto reason = what;
  if (wanted && m_definition.max_restarts > 0) {
    reason = fmt::format("{}, after {} restarts", what, m_budget_used);
  } else if (!m_was_ready && !m_definition.oneshot) {
    reason = what + " before it was ready";
  }
  bool is_failure = wanted || !m_was_ready || m_definition.oneshot;
  if (is_failure && failure == Failure::none) {
    failure = Failure::own; // ended well, but too early
  }
  set_state(is_failure ? State::failed : State::exited, with_hint(reason), failure);
}

std::string Service::with_hint(const std::string& text) const {
  const bool is_useful = !m_definition.hint.empty() && !m_was_ready;
  return is_useful ? text + " (" + m_definition.hint + ")" : text;
}

void Service::restart_later(const std::string& what) {
  auto backoff = std::min(k_first_backoff * (1 << std::min(m_budget_used, 10)), k_last_backoff);
  ++m_budget_used;
  ++m_restarts;
  m_restart_timer = m_runtime.loop.after(backoff, [this] {
    m_restart_timer = 0;
    run();
  });
  if (m_definition.readiness) {
    auto left = m_first_start + milliseconds(m_definition.readiness->deadline_ms) - os::now_monotonic();
    if (!m_was_ready) {
      m_deadline_timer = m_runtime.loop.after(std::max(left, milliseconds(0)), [this] { on_deadline(); });
    } else {
      m_first_start = os::now_monotonic(); // it was ready once: a new life, a new deadline
    }
  }
  set_state(State::starting, fmt::format("{}; restart {} in {} ms", what, m_restarts, backoff.count()));
}

protocol::ServiceStatus Service::status(std::size_t tail_lines, std::size_t tail_width) const {
  protocol::ServiceStatus status;
  status.name = m_name;
  status.state = m_state;
  status.failure = m_failure;
  status.pid = std::max(m_pid, 0);
  status.started_at = m_started_at;
  status.ready_at = m_ready_at;
  status.ended_at = m_ended_at;
  status.exit_code = m_exit_code;
  status.signal = m_signal;
  status.restarts = m_restarts;
  status.oom_kills = m_oom_kills;
  status.stop_reason = m_stop_reason;
  status.reason = m_reason;
  status.last_probe = m_last_probe;
  status.definition_digest = m_definition.definition_digest;
  for (auto& line : m_log.tail(tail_lines)) {
    status.log_tail.push_back(shortened(line, tail_width));
  }
  return status;
}

} // namespace pyro::agent
