#include "probe_attempt.hpp"

#include "address.hpp"
#include "http_probe.hpp"
#include "lineage.hpp"
#include "located.hpp"
#include "start_report.hpp"
#include "stream_io.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/random.hpp>

#include <sys/stat.h>

#include <csignal>
#include <fcntl.h>
#include <regex.h>

namespace pyro::agent {

namespace {

using protocol::Probe;
using protocol::ProbeKind;

constexpr std::size_t k_kept_output = 512;

/// For what is known at once.
class ImmediateAttempt : public ProbeAttempt {
public:
  ImmediateAttempt(Runtime& runtime, ProbeOutcome outcome, Done done) {
    runtime.loop.post([weak = std::weak_ptr(m_alive), outcome = std::move(outcome), done = std::move(done)] {
      if (weak.lock()) {
        done(outcome);
      }
    });
  }

private:
  std::shared_ptr<bool> m_alive = std::make_shared<bool>(true);
};

class ExecAttempt : public ProbeAttempt {
public:
  ExecAttempt(Runtime& runtime, const Probe& probe, const ProbeSubject& subject, Done done)
      : m_runtime(runtime), m_done(std::move(done)) {
    auto what = subject.how;
    what.argv = probe.argv;
    what.marker = os::random_hex(8);
    m_marker = what.marker;
    m_name = "exec " + probe.argv.front();
    auto output = os::make_pipe();
    auto launched = launch(what, {runtime.nothing.get(), output.write_end.get(), output.write_end.get()});
    if (!launched.ok()) {
      finish_later({false, m_name + ": " + launched.note});
      return;
    }
    m_pid = launched.pid;
    m_output.emplace(
        runtime.loop, std::move(output.read_end), OutputSource::Hangup::is_the_end,
        [this](std::string_view bytes) {
          m_text.append(bytes.substr(0, k_kept_output - m_text.size()));
          return true;
        },
        nullptr);
    runtime.reaper.watch(m_pid, [this](os::Outcome outcome) { on_exit(outcome); });
    m_timer =
        runtime.loop.after(std::chrono::milliseconds(probe.timeout_ms), [this, limit = probe.timeout_ms] {
          m_timed_out = fmt::format("{}: no answer within {} ms", m_name, limit);
          kill_lineage(m_pid, m_marker);
        });
  }

  ~ExecAttempt() override {
    m_runtime.loop.cancel(m_timer);
    if (m_pid > 0) {
      m_runtime.reaper.forget(m_pid);
      kill_lineage(m_pid, m_marker);
    }
    m_runtime.left_pipes.take(m_runtime.loop, m_output);
  }

private:
  void on_exit(os::Outcome outcome) {
    const auto never_began = note_of_failed_start(std::exchange(m_pid, -1));
    m_output->drain();
    if (!m_timed_out.empty()) {
      finish_later({false, m_timed_out});
      return;
    }
    if (never_began) {
      finish_later({false, m_name + ": " + *never_began});
      return;
    }
    while (!m_text.empty() && m_text.back() == '\n') {
      m_text.pop_back();
    }
    finish_later(
        {outcome.ok(),
         fmt::format("{}: {}{}{}", m_name, os::to_string(outcome), m_text.empty() ? "" : ": ", m_text)});
  }

  void finish_later(ProbeOutcome outcome) {
    m_runtime.loop.cancel(m_timer); // the time limit must not outlive this
    m_timer = m_runtime.loop.after(std::chrono::milliseconds(0), [this, outcome = std::move(outcome)] {
      auto done = m_done; // it may destroy this
      done(outcome);
    });
  }

  Runtime& m_runtime;
  Done m_done;
  std::string m_name;
  std::string m_marker;
  std::string m_text;
  std::string m_timed_out;
  pid_t m_pid = -1;
  std::optional<OutputSource> m_output;
  os::EventLoop::TimerId m_timer = 0;
};

bool is_newer(const std::timespec& one, const std::timespec& other) {
  return one.tv_sec > other.tv_sec || (one.tv_sec == other.tv_sec && one.tv_nsec >= other.tv_nsec);
}

ProbeOutcome look_for_file(const Probe& probe, const ProbeSubject& subject) {
  auto path = probe.file;
  if (!path.starts_with('/')) {
    path = (subject.how.cwd.empty() ? "" : subject.how.cwd) + "/" + path;
  }
  path = located(path);

  struct stat status {};

  if (::stat(path.c_str(), &status) < 0) {
    return {false, fmt::format("file {}: not there", path)};
  }
  if (!is_newer(status.st_mtim, subject.started)) {
    return {false, fmt::format("file {}: older than the start of the service", path)};
  }
  return {true, fmt::format("file {}: there", path)};
}

ProbeOutcome look_in_log(const Probe& probe, const ProbeSubject& subject) {
  auto name = fmt::format("log {}{}{}", probe.regex ? "/" : "'", probe.pattern, probe.regex ? "/" : "'");
  bool found = false;
  if (!probe.regex) {
    found = subject.log->any_line(
        [&](std::string_view line) { return line.find(probe.pattern) != std::string_view::npos; });
  } else {
    regex_t compiled;
    if (auto error = ::regcomp(&compiled, probe.pattern.c_str(), REG_EXTENDED | REG_NOSUB)) {
      char text[256];
      ::regerror(error, &compiled, text, sizeof(text));
      return {false, name + ": " + text};
    }
    found = subject.log->any_line([&](std::string_view line) {
      regmatch_t whole{0, static_cast<regoff_t>(line.size())}; // NUL bytes do not end it
      return ::regexec(&compiled, line.data(), 0, &whole, REG_STARTEND) == 0;
    });
    ::regfree(&compiled);
  }
  return {found, name + (found ? ": found" : ": not seen yet")};
}

} // namespace

std::unique_ptr<ProbeAttempt>
start_attempt(Runtime& runtime, const Probe& probe, const ProbeSubject& subject, ProbeAttempt::Done done) {
  switch (probe.kind) {
  case ProbeKind::exec:
    return std::make_unique<ExecAttempt>(runtime, probe, subject, std::move(done));
  case ProbeKind::http:
  case ProbeKind::tcp:
    return start_network_attempt(runtime, probe, subject.service, std::move(done));
  case ProbeKind::file:
    return std::make_unique<ImmediateAttempt>(runtime, look_for_file(probe, subject), std::move(done));
  case ProbeKind::log:
    return std::make_unique<ImmediateAttempt>(runtime, look_in_log(probe, subject), std::move(done));
  }
  throw Error(ErrorCode::internal, "a probe without a kind");
}

} // namespace pyro::agent
