#include "shell.hpp"

#include "launch.hpp"
#include "lineage.hpp"
#include "terminal.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/random.hpp>

#include <csignal>

namespace pyro::agent {

namespace {

constexpr std::chrono::milliseconds k_close_grace{2000};

} // namespace

std::shared_ptr<Shell> Shell::open(Runtime& runtime, const protocol::ShellOpen& request) {
  auto shell = std::make_shared<Shell>(runtime);
  shell->begin(request);
  return shell;
}

Shell::~Shell() {
  m_runtime.loop.cancel(m_kill_timer);
  if (m_pid > 0 && !m_outcome) {
    m_runtime.reaper.forget(m_pid);
    kill_lineage(m_pid, m_marker);
  }
}

void Shell::begin(const protocol::ShellOpen& request) {
  m_id = request.shell_id;
  m_cwd = request.cwd;
  m_size = request.size;
  m_marker = os::random_hex(8);
  m_opened_at = os::now_epoch();
  auto terminal = open_terminal(request.size.cols, request.size.rows);
  const auto slave = terminal.slave.get();
  const auto launched =
      launch({request.argv, request.cwd, request.env, request.user, m_marker}, {slave, slave, slave, true});
  if (!launched.ok()) {
    throw Error(ErrorCode::failed, "the shell cannot be started: {}", launched.note);
  }
  m_pid = launched.pid;
  m_terminal = std::move(terminal.master);
  m_input.emplace(
      m_runtime.loop, os::duplicate(m_terminal.get()), InputSink::End::close,
      [this](std::size_t count) { m_waiting_input -= count; });
  m_source.emplace(
      m_runtime.loop, os::duplicate(m_terminal.get()), OutputSource::Hangup::may_pass,
      [this](std::string_view bytes) {
        m_output.append(bytes);
        m_last_output = os::now_monotonic();
        tell_watchers();
        return m_holders.empty() || m_outcome;
      },
      nullptr);
  m_runtime.reaper.watch(m_pid, [weak = weak_from_this()](os::Outcome outcome) {
    if (auto self = weak.lock()) {
      self->on_exit(outcome);
    }
  });
}

protocol::ShellStatus Shell::status() const {
  protocol::ShellStatus status;
  status.shell_id = m_id;
  status.running = is_running();
  status.pid = is_running() ? m_pid : 0;
  status.cwd = m_cwd;
  status.size = m_size;
  status.opened_at = m_opened_at;
  if (m_outcome) {
    status.exit_code = m_outcome->shell_status();
  }
  status.first = m_output.first();
  status.end = m_output.end();
  return status;
}

void Shell::write(std::string_view bytes) {
  if (!is_running() || !m_input) {
    throw Error(ErrorCode::bad_state, "the shell {} has ended", m_id);
  }
  if (m_waiting_input + bytes.size() > protocol::k_shell_input) {
    throw Error(
        ErrorCode::unavailable, "the shell {} does not read: {} bytes already wait for it", m_id,
        m_waiting_input);
  }
  m_waiting_input += bytes.size();
  m_input->write(bytes);
}

void Shell::resize(const protocol::TerminalSize& size) {
  if (is_running() && m_terminal) {
    resize_terminal(terminal(), size.cols, size.rows);
    m_size = size;
  }
}

void Shell::signal(int number) {
  if (is_running()) {
    signal_session(m_pid, terminal(), number);
  }
}

void Shell::close(std::function<void()> done) {
  if (!is_running()) {
    kill_lineage(0, m_marker);
    done();
    return;
  }
  m_on_closed.push_back(std::move(done));
  signal(SIGHUP);
  signal(SIGCONT);
  if (m_kill_timer == 0) {
    m_kill_timer = m_runtime.loop.after(k_close_grace, [this] { kill_lineage(m_pid, m_marker); });
  }
}

void Shell::hang_up() {
  signal(SIGHUP);
  signal(SIGCONT);
  m_source.reset();
  m_input.reset();
  m_terminal.reset();
}

void Shell::on_exit(os::Outcome outcome) {
  m_outcome = outcome;
  m_runtime.loop.cancel(m_kill_timer);
  auto self = shared_from_this(); // a watcher or `done` may let go of us
  m_holders.clear();
  if (m_source) {
    m_source->resume();
    m_source->drain();
  }
  m_source.reset();
  m_input.reset();
  m_terminal.reset();
  tell_watchers();
  for (auto& done : std::exchange(m_on_closed, {})) {
    kill_lineage(0, m_marker);
    done();
  }
}

Shell::WatchId Shell::watch(std::function<void()> callback) {
  m_watchers[m_next_watch] = std::move(callback);
  return m_next_watch++;
}

void Shell::unwatch(WatchId id) {
  m_watchers.erase(id);
  release(id);
}

void Shell::hold(WatchId id) {
  if (is_running()) {
    m_holders.insert(id);
  }
}

void Shell::release(WatchId id) {
  m_holders.erase(id);
  if (m_holders.empty() && m_source) {
    m_source->resume();
  }
}

void Shell::tell_watchers() {
  auto watchers = m_watchers; // they may go away while they look
  for (auto& [id, callback] : watchers) {
    callback();
  }
}

} // namespace pyro::agent
