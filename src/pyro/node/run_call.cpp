#include "run_call.hpp"

#include "call.hpp"
#include "copying.hpp"
#include "frame.hpp"
#include "shared_file.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/output_closed.hpp>

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <deque>
#include <mutex>
#include <poll.h>

namespace pyro::node {

namespace {

/// Who called, at the other end of the socket.
class Front {
public:
  explicit Front(int socket) : m_socket(socket) {}

  /// What is called; nullopt: the front went before it said so.
  std::optional<Json> request() {
    while (!m_request && !m_is_gone) {
      receive(-1);
    }
    return std::move(m_request);
  }

  bool has_had_enough() {
    look();
    return m_is_cancelled || m_is_gone;
  }

  bool is_gone() {
    look();
    return m_is_gone;
  }

  std::optional<Json> next_control() {
    look();
    if (m_controls.empty()) {
      return std::nullopt;
    }
    auto next = std::move(m_controls.front());
    m_controls.pop_front();
    return next;
  }

  /// No answer (it went, or wants no more) is a no.
  bool ask(const std::string& text) {
    tell(FrameKind::ask, text);
    m_answer.reset();
    while (!m_answer && !m_is_gone && !m_is_cancelled) {
      receive(-1);
    }
    return m_answer.value_or(false);
  }

  /// What goes on needs nobody who listens. Any thread may tell.
  void tell(FrameKind kind, const Json& body) {
    const auto bytes = encode_frame(kind, body);
    const std::lock_guard guard(m_mutex);
    std::string_view left = bytes;
    while (!left.empty() && !m_is_deaf) {
      const auto count = ::send(m_socket, left.data(), left.size(), MSG_NOSIGNAL);
      if (count < 0 && errno == EINTR) {
        continue;
      }
      m_is_deaf = count < 0;
      left.remove_prefix(count < 0 ? 0 : static_cast<std::size_t>(count));
    }
  }

private:
  /// All that has come.
  void look() {
    while (!m_is_gone && receive(0)) {
    }
  }

  bool receive(int patience_ms) {
    pollfd watched{m_socket, POLLIN, 0};
    if (::poll(&watched, 1, patience_ms) <= 0) {
      return false;
    }
    std::array<char, 32768> buffer{};
    const auto count = ::recv(m_socket, buffer.data(), buffer.size(), 0);
    if (count < 0 && errno == EINTR) {
      return true;
    }
    if (count <= 0) {
      m_is_gone = true;
      return false;
    }
    m_decoder.feed({buffer.data(), static_cast<std::size_t>(count)});
    return true;
  }

  void on_frame(FrameKind kind, Json body) {
    constexpr std::size_t k_most_controls = 1000; // of a front that sends more than a person can
    switch (kind) {
    case FrameKind::request:
      m_request = std::move(body);
      return;
    case FrameKind::cancel:
      m_is_cancelled = true;
      return;
    case FrameKind::control:
      if (m_controls.size() < k_most_controls) {
        m_controls.push_back(std::move(body));
      }
      return;
    case FrameKind::answer:
      m_answer = body.is_boolean() && body.get<bool>();
      return;
    case FrameKind::event:
    case FrameKind::line:
    case FrameKind::ask:
    case FrameKind::result:
    case FrameKind::failure:
      throw Error(ErrorCode::protocol, "a frame of a call came from the wrong end");
    }
  }

  int m_socket;
  FrameDecoder m_decoder{[this](FrameKind kind, Json body) {
    on_frame(kind, std::move(body));
  }};
  std::optional<Json> m_request;
  std::optional<bool> m_answer;
  std::deque<Json> m_controls;
  bool m_is_cancelled = false;
  bool m_is_gone = false;
  std::mutex m_mutex;     // for what is told, and
  bool m_is_deaf = false; // this
};

/// The poll_control of a stream: what the front wants of it; it ends with the front.
std::function<std::optional<Json>()> control_from(Front& front) {
  return [&front]() -> std::optional<Json> {
    auto next = front.next_control();
    if (!next && front.is_gone()) {
      throw Error(ErrorCode::interrupted, "who called is gone");
    }
    return next;
  };
}

Json run(
    const Call& call, const CallStreams& streams, const std::string& base, operations::Engine& engine,
    Front& front) {
  const operations::ExecStreams given{streams.in, streams.out, streams.err};
  switch (call.kind) {
  case CallKind::exec: {
    auto request = exec_request_from_json(call.request);
    request.poll_control = control_from(front);
    return to_json(engine.stream_exec(call.parameters, request, given));
  }
  case CallKind::shell: {
    auto request = shell_request_from_json(call.request);
    request.poll_control = control_from(front);
    return engine.attach_shell(call.parameters, request, given);
  }
  case CallKind::logs:
    engine.stream_logs(
        call.parameters, log_request_from_json(call.request),
        [&front](const std::string& service, const std::string& line) {
          front.tell(FrameKind::line, {{"service", service}, {"line", line}});
        });
    return Json::object();
  case CallKind::targets: {
    Json found;
    operations::ForwardSinks sinks;
    sinks.targets = [&](const Json& targets) {
      found = targets;
    };
    engine.forward_ports(call.parameters, get_strings(call.request, "wanted"), std::move(sinks));
    return found;
  }
  case CallKind::copy_in:
    return take_copy(call, streams.in, base, engine);
  case CallKind::copy_out:
    return give_copy(call, streams.out, base, engine);
  case CallKind::operation:
    break;
  }
  return engine.call(call.operation, call.parameters);
}

} // namespace

void run_call(
    const CallStreams& streams, const std::string& base, const operations::EngineFactory& make_engine) {
  Front front(streams.frames);
  try {
    const auto request = front.request();
    if (!request) {
      return;
    }
    const auto call = call_from_json(*request);
    if (!call.shared_file.is_null()) {
      require_shared(call.shared_file);
    }
    operations::Settings settings;
    settings.base = base;
    settings.ports_elsewhere = true;
    settings.lock_timeout = call.lock_timeout;
    settings.plan_text = call.all_of_plan ? operations::PlanText::all : operations::PlanText::changes;
    operations::Callbacks callbacks;
    callbacks.color = call.color;
    callbacks.stream_output = call.stream_output;
    callbacks.events = [&front](const operations::Event& event) {
      front.tell(FrameKind::event, to_json(event));
    };
    callbacks.interrupted = [&front] {
      return front.has_had_enough();
    };
    if (call.can_ask) {
      callbacks.ask = [&front](const std::string& text) {
        return front.ask(text);
      };
    }
    const auto engine = make_engine(settings, callbacks);
    front.tell(FrameKind::result, run(call, streams, base, *engine, front));
  } catch (const Error& error) {
    front.tell(FrameKind::failure, to_json(error));
  } catch (const OutputClosed&) { // who read has gone: so has the front
    front.tell(
        FrameKind::failure, to_json(Error(ErrorCode::interrupted, "nobody reads the output any more")));
  } catch (const std::exception& error) {
    front.tell(FrameKind::failure, to_json(Error(ErrorCode::internal, "{}", error.what())));
  }
}

} // namespace pyro::node
