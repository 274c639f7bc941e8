#include "guest_exec.hpp"

#include "disk_quota.hpp"
#include "input_feeder.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/output_closed.hpp>
#include <pyro/base/units.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/patient_write.hpp>
#include <pyro/workspace/context/secrets.hpp>

namespace pyro::workspace {

namespace {

constexpr std::size_t k_max_line = 16 << 10;

/// Cuts a stream of bytes into lines of bounded length.
class LineSplitter {
public:
  explicit LineSplitter(const std::function<void(const std::string&)>& line) : m_line(line) {}

  void add(std::string_view bytes) {
    for (const char octet : bytes) {
      if (octet == '\n' || m_text.size() >= k_max_line) {
        flush();
      }
      if (octet != '\n' && octet != '\r') {
        m_text += octet;
      }
    }
    m_pending = !m_text.empty();
  }

  void flush() {
    m_line(m_text);
    m_text.clear();
    m_pending = false;
  }

  void finish() {
    if (m_pending) {
      flush();
    }
  }

private:
  const std::function<void(const std::string&)>& m_line;
  std::string m_text;
  bool m_pending = false;
};

/// Does the agent still answer? Asked where a command does not end though it should.
class AgentWatch {
public:
  explicit AgentWatch(backend::ControlClient& client) : m_client(client) {}

  void ask() {
    if (m_asked_at) {
      return;
    }
    m_asked_at = os::now_monotonic();
    protocol::CallEvents events;
    events.on_result = [this](const Json&) {
      m_asked_at.reset();
    };
    m_question = m_client.open("/agent/hello", Json::object(), std::move(events));
  }

  void check() const {
    if (m_asked_at && os::now_monotonic() - *m_asked_at > k_limit) {
      throw Error(
          ErrorCode::unavailable, "the sandbox hangs: its agent has not answered for {} s", k_limit.count())
          .with_hint("`pyro reset` makes it anew, `pyro stop` ends it");
    }
  }

private:
  static constexpr std::chrono::seconds k_limit{15};

  backend::ControlClient& m_client;
  std::optional<std::chrono::milliseconds> m_asked_at;
  std::shared_ptr<protocol::Call> m_question;
};

} // namespace

protocol::ExecResult run_with_lines(
    backend::ControlClient& client, const protocol::ExecRequest& request,
    const std::function<void(const std::string&)>& line, const std::function<void()>& check_interrupted) {
  LineSplitter out(line);
  LineSplitter err(line);
  std::optional<Json> result;
  std::optional<Error> failure;
  std::shared_ptr<protocol::Call> call;
  protocol::CallEvents events;
  events.on_data = [&](protocol::FrameType type, std::string_view bytes) {
    (type == protocol::FrameType::data_err ? err : out).add(bytes);
    call->consume(bytes.size());
  };
  events.on_result = [&](const Json& value) {
    result = value;
  };
  events.on_failure = [&](const Error& error) {
    failure = error;
  };
  call = client.open("/agent/exec", protocol::to_json(request), std::move(events));
  while (!result && !failure) {
    client.loop().turn(std::chrono::milliseconds(100));
    check_interrupted();
  }
  out.finish();
  err.finish();
  if (failure) {
    throw *failure;
  }
  return protocol::exec_result_from_json(*result);
}

std::string memory_sentence(const protocol::ExecResult& result, const std::string& who) {
  using protocol::MemoryVictim;
  switch (result.oom_victim) {
  case MemoryVictim::none:
    return "";
  case MemoryVictim::command:
    return fmt::format("{} was {}", who, result.oom_note);
  case MemoryVictim::process_of_it:
    return fmt::format("a process of {} was {}", who, result.oom_note);
  case MemoryVictim::somebody:
    break;
  }
  return fmt::format("while {} ran, a process was {}", who, result.oom_note);
}

protocol::ExecRequest guest_request(
    const store::WorkspacePaths& paths, const store::WorkspaceRecord& record, const ExecRequest& request,
    const ExecStreams& streams) {
  protocol::ExecRequest guest;
  guest.argv = request.argv;
  guest.cwd = request.cwd.empty() ? record.workdir : request.cwd;
  guest.env = process_environment(paths, record, request.env, request.secret_env);
  guest.user = request.user.empty() ? record.user : request.user;
  guest.wants_stdin = streams.in >= 0;
  if (request.tty) {
    guest.pty = protocol::TerminalSize{request.columns, request.rows};
  }
  guest.timeout_ms = request.timeout.count();
  return guest;
}

void write_output(const ExecStreams& streams, protocol::FrameType type, std::string_view bytes) {
  const int target = type == protocol::FrameType::data_err ? streams.err : streams.out;
  if (target >= 0) {
    os::write_patiently(target, bytes);
  }
}

ExecResult run_with_output(
    backend::ControlClient& client, const protocol::ExecRequest& request, int input_fd,
    const OutputSink& output, const std::function<std::optional<Json>()>& poll_control,
    const std::function<void()>& once_asked) {
  std::optional<Json> result;
  std::optional<Error> failure;
  std::shared_ptr<protocol::Call> call;
  InputFeeder input(client.loop(), request.wants_stdin ? input_fd : -1);
  protocol::CallEvents events;
  bool is_output_closed = false;
  events.on_data = [&](protocol::FrameType type, std::string_view bytes) {
    try {
      output(type, bytes);
      call->consume(bytes.size());
    } catch (const OutputClosed&) {
      is_output_closed = true;
    }
  };
  events.on_writable = [&] {
    input.resume();
  };
  events.on_result = [&](const Json& value) {
    result = value;
  };
  events.on_failure = [&](const Error& error) {
    failure = error;
  };
  const auto began = os::now_epoch();
  call = client.open("/agent/exec", protocol::to_json(request), std::move(events));
  input.start(call);
  try {
    if (once_asked) {
      once_asked();
    }
  } catch (...) {
    call->cancel(); // its callbacks go with us
    throw;
  }
  AgentWatch watch(client);
  const bool is_limited = request.timeout_ms > 0;
  const auto time_over = os::now_monotonic() + std::chrono::milliseconds(request.timeout_ms);
  while (!result && !failure && !is_output_closed) {
    client.loop().turn(std::chrono::milliseconds(poll_control || is_limited ? 100 : 60'000));
    while (const auto message = poll_control ? poll_control() : std::nullopt) {
      call->send(*message);
      watch.ask();
    }
    if (is_limited && os::now_monotonic() > time_over) {
      watch.ask();
    }
    watch.check();
  }
  if (is_output_closed) {
    call->cancel(); // the agent ends the command, as SIGPIPE would
    throw OutputClosed{};
  }
  if (failure) {
    throw *failure;
  }
  const auto ended = protocol::exec_result_from_json(*result);
  if (ended.timed_out) {
    const auto limit = format_duration(std::chrono::milliseconds(request.timeout_ms));
    output(protocol::FrameType::data_err, fmt::format("pyro: timed out after {}\n", limit));
  }
  if (!ended.oom_note.empty()) {
    output(
        protocol::FrameType::data_err,
        fmt::format("pyro: {}\n", memory_sentence(ended, request.argv.front())));
  }
  ExecResult outcome;
  outcome.oom_kills = ended.oom_kills;
  outcome.exit_code = ended.exit_code;
  outcome.timed_out = ended.timed_out;
  outcome.duration_ms = ended.duration_ms;
  outcome.note = ended.stderr_note;
  if (ended.exit_code != 0 && outcome.note.empty()) {
    outcome.note = quota_note(client, began);
  }
  outcome.stopped_by = ended.stopped_by;
  return outcome;
}

ExecResult run_with_streams(
    backend::ControlClient& client, const protocol::ExecRequest& request, const ExecStreams& streams,
    const std::function<std::optional<Json>()>& poll_control) {
  return run_with_output(
      client, request, streams.in,
      [&](protocol::FrameType type, std::string_view bytes) { write_output(streams, type, bytes); },
      poll_control);
}

} // namespace pyro::workspace
