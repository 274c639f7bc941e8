#include "connection.hpp"

#include "connect.hpp"
#include "feeder.hpp"
#include "frame.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/output_closed.hpp>
#include <pyro/base/safe_text.hpp>
#include <pyro/operations/version.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/patient_write.hpp>
#include <pyro/os/unix_socket.hpp>
#include <pyro/place/slurm.hpp>

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>
#include <unistd.h>

namespace pyro::node {

namespace {

constexpr std::size_t k_most_words = 1U << 20U;
constexpr std::size_t k_most_before_greeting = 64U << 10U;
constexpr std::chrono::milliseconds k_poll{50};
constexpr std::chrono::seconds k_patience_with_srun{3};
constexpr std::chrono::milliseconds k_patience_with_node{3000};

} // namespace

/// One call, as its frames and output come.
struct Connection::Running {
  Running(const Hooks& given, os::EventLoop& loop, int in) : hooks(given), feeder(loop, in) {}

  bool is_over() const { return (result || failure) && open_outputs == 0; }

  void on_frame(FrameKind kind, Json body) {
    switch (kind) {
    case FrameKind::event:
      if (hooks.events) {
        hooks.events(operations::event_from_json(body));
      }
      return;
    case FrameKind::line:
      if (hooks.line) {
        hooks.line(get_string(body, "service"), get_string(body, "line"));
      }
      return;
    case FrameKind::ask:
      question = body.is_string() ? body.get<std::string>() : "";
      return;
    case FrameKind::result:
      result = std::move(body);
      return;
    case FrameKind::failure:
      failure = error_from_json(body);
      return;
    case FrameKind::request:
    case FrameKind::cancel:
    case FrameKind::control:
    case FrameKind::answer:
      throw Error(ErrorCode::protocol, "a frame of a call came from the wrong end");
    }
  }

  void send(FrameKind kind, const Json& body) { frames.send(encode_frame(kind, body)); }

  const Hooks& hooks;
  Feeder feeder;
  FrameDecoder decoder{[this](FrameKind kind, Json body) {
    on_frame(kind, std::move(body));
  }};
  protocol::Stream frames;
  protocol::Stream in;
  std::vector<std::shared_ptr<protocol::Stream>> outputs;
  int open_outputs = 0;
  std::optional<Json> result;
  std::optional<Error> failure;
  std::optional<std::string> question;
  bool is_output_closed = false;
  bool is_lost = false;
};

Connection::Connection(const std::string& job_id, const std::string& program)
    : m_words(::memfd_create("srun", MFD_CLOEXEC)), m_heard_at(os::now_monotonic()), m_asked_at(m_heard_at) {
  auto [ours, theirs] = os::socket_pair();
  auto command = place::step(job_id, {program, "connect"});
  command.fds = {{0, theirs.get()}, {1, theirs.get()}, {2, m_words.get()}};
  command.max_file_bytes = k_most_words;
  m_srun = os::spawn(command);
  theirs.reset();
  os::BytePump::Callbacks callbacks;
  callbacks.on_bytes = [this](std::string_view bytes) {
    receive(bytes);
  };
  callbacks.pull = [this] {
    return m_session.take_output();
  };
  callbacks.on_closed = [this](const Error* error) {
    m_is_lost = true;
    if (error != nullptr && error->code() == ErrorCode::protocol) {
      m_problem = *error;
    }
    m_session.transport_lost();
  };
  m_pump = std::make_unique<os::BytePump>(m_loop, std::move(ours), std::move(callbacks));
  m_session.on_output([this] { m_pump->wake(); });
}

/// The end of its input ends srun, and the step with it.
Connection::~Connection() {
  m_pump->close();
  const auto deadline = std::chrono::steady_clock::now() + k_patience_with_srun;
  while (!m_srun.try_wait() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

void Connection::receive(std::string_view bytes) {
  m_heard_at = os::now_monotonic();
  m_is_asked = false;
  if (m_is_greeted) {
    m_session.feed(bytes);
    return;
  }
  m_before += bytes;
  for (std::size_t begin = 0;;) {
    const auto end = m_before.find('\n', begin);
    if (end == std::string::npos) {
      break;
    }
    const auto line = m_before.substr(begin, end - begin);
    begin = end + 1;
    if (!is_greeting(line)) {
      continue;
    }
    if (version_in(line) != operations::version()) {
      throw Error(
          ErrorCode::protocol, "the node has pyro {}, this machine {}", escape_controls(version_in(line)),
          operations::version());
    }
    m_is_greeted = true;
    m_session.feed(std::string_view(m_before).substr(begin));
    m_before.clear();
    return;
  }
  if (m_before.size() > k_most_before_greeting) {
    throw Error(ErrorCode::protocol, "what comes from the node is not pyro's");
  }
}

std::string Connection::last_words() const {
  constexpr std::size_t k_most = 400;
  std::array<char, 4096> buffer{};
  const auto size = ::lseek(m_words.get(), 0, SEEK_END);
  const auto from = std::max<off_t>(0, size - static_cast<off_t>(buffer.size()));
  const auto count = ::pread(m_words.get(), buffer.data(), buffer.size(), from);
  std::string text(buffer.data(), count < 0 ? 0 : static_cast<std::size_t>(count));
  while (!text.empty() && text.back() == '\n') {
    text.pop_back();
  }
  text = text.substr(text.rfind('\n') + 1);
  return escape_controls(text.substr(0, k_most));
}

void Connection::check() const {
  if (m_problem) {
    throw *m_problem;
  }
  if (m_is_lost) {
    throw ConnectionLost{last_words()};
  }
}

void Connection::watch_silence(const std::function<void(bool is_begun)>& unanswered) {
  const auto now = os::now_monotonic();
  if (now - m_heard_at < k_patience_with_node || now - m_asked_at < k_patience_with_node || !unanswered) {
    return;
  }
  m_asked_at = now;
  if (m_is_greeted && !m_is_asked) {
    m_is_asked = true;
    m_session.open(std::string(k_alive_path), {}).finish();
    return;
  }
  unanswered(m_is_greeted);
}

Json Connection::call(const Call& call, const operations::ExecStreams& streams, const Hooks& hooks) {
  check();
  Running running(hooks, m_loop, streams.in);
  const auto number = std::to_string(m_next_call++);
  if (streams.in >= 0) {
    protocol::StreamEvents events;
    events.on_writable = [&] {
      running.feeder.resume();
    };
    events.on_close = [&](protocol::CloseReason) {
      running.feeder.stop();
    };
    running.in = m_session.open(std::string(k_in_path) + number, std::move(events));
    running.feeder.start(running.in);
  }
  for (const auto& [fd, path] : {std::pair{streams.out, k_out_path}, std::pair{streams.err, k_err_path}}) {
    if (fd < 0) {
      continue;
    }
    auto stream = std::make_shared<protocol::Stream>();
    protocol::StreamEvents events;
    events.on_data = [&running, stream, fd = fd](std::string_view bytes) {
      try {
        os::write_patiently(fd, bytes);
        stream->consume(bytes.size());
      } catch (const OutputClosed&) {
        running.is_output_closed = true;
      }
    };
    events.on_close = [&running](protocol::CloseReason) {
      --running.open_outputs;
    };
    *stream = m_session.open(std::string(path) + number, std::move(events));
    stream->finish();
    ++running.open_outputs;
    running.outputs.push_back(std::move(stream));
  }
  protocol::StreamEvents events;
  events.on_data = [&](std::string_view bytes) {
    running.frames.consume(bytes.size());
    running.decoder.feed(bytes);
  };
  events.on_close = [&](protocol::CloseReason) {
    running.is_lost = !running.result && !running.failure;
  };
  events.on_end = [&] {
    running.is_lost = !running.result && !running.failure;
  };
  running.frames = m_session.open(std::string(k_call_path) + number, std::move(events));
  running.send(FrameKind::request, to_json(call));

  const auto let_go = [&] { // no callback comes after this
    running.feeder.stop();
    running.in.cancel();
    for (const auto& stream : running.outputs) {
      stream->cancel();
    }
    running.frames.cancel();
  };
  bool is_cancelled = false;
  try {
    while (!running.is_over()) {
      m_loop.turn(k_poll);
      watch_silence(hooks.unanswered);
      if (m_problem) {
        throw *m_problem;
      }
      if (running.is_output_closed) {
        throw OutputClosed{};
      }
      if (m_is_lost || running.is_lost) {
        if (running.result || running.failure) {
          break; // all was said; only the end of its output is missing
        }
        throw ConnectionLost{last_words()};
      }
      if (!is_cancelled && hooks.interrupted && hooks.interrupted()) {
        running.send(FrameKind::cancel, nullptr);
        is_cancelled = true;
      }
      while (const auto control = hooks.poll_control ? hooks.poll_control() : std::nullopt) {
        running.send(FrameKind::control, *control);
      }
      if (running.question) {
        const auto question = std::exchange(running.question, std::nullopt);
        running.send(FrameKind::answer, hooks.ask && hooks.ask(*question));
      }
    }
  } catch (...) {
    let_go();
    m_pump->flush();
    throw;
  }
  let_go();
  if (running.failure) {
    throw *running.failure;
  }
  return std::move(*running.result);
}

} // namespace pyro::node
