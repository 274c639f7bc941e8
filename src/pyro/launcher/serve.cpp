#include "serve.hpp"

#include "frame.hpp"
#include "settings_json.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/unix_socket.hpp>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <poll.h>
#include <unistd.h>

namespace pyro::launcher {

namespace {

/// Has the front cancelled, or gone? Whatever it says after its request is that.
class Front {
public:
  explicit Front(int socket) : m_socket(socket) {}

  bool has_had_enough() {
    if (!m_is_over) {
      pollfd watched{m_socket, POLLIN | POLLRDHUP, 0};
      m_is_over = ::poll(&watched, 1, 0) > 0;
    }
    return m_is_over;
  }

  /// What goes on needs nobody who listens.
  void tell(FrameKind kind, const Json& body) {
    if (m_is_gone) {
      return;
    }
    try {
      send_frame(m_socket, kind, body);
    } catch (const Error& error) {
      m_is_gone = error.code() == ErrorCode::unavailable;
      if (!m_is_gone) {
        throw;
      }
    }
  }

private:
  int m_socket;
  bool m_is_over = false;
  bool m_is_gone = false;
};

operations::Settings full_settings(const operations::CallSettings& given) {
  operations::Settings settings;
  settings.base = given.base;
  settings.lock_timeout = given.lock_timeout;
  settings.trust = given.trust_once ? operations::TrustGrant::once : operations::TrustGrant::recorded;
  return settings;
}

Json run(const Json& request, Front& front, const operations::EngineFactory& make_engine) {
  operations::Callbacks callbacks;
  callbacks.events = [&front](const operations::Event& event) {
    front.tell(
        FrameKind::event,
        {{"kind", event.kind}, {"address", event.address}, {"text", event.text}, {"data", event.data}});
  };
  callbacks.interrupted = [&front] {
    return front.has_had_enough();
  };
  auto engine = make_engine(full_settings(settings_from_json(value_at(request, "settings"))), callbacks);
  return engine->call(get_string(request, "operation"), value_at(request, "parameters"));
}

[[noreturn]] void be_the_call(int control, int socket, const operations::EngineFactory& make_engine) {
  ::close(control);
  std::signal(SIGCHLD, SIG_DFL); // calls wait for their own children
  int status = 0;
  try {
    serve_call(socket, make_engine);
  } catch (const std::exception& error) { // the front is told by the closing socket
    std::fprintf(stderr, "pyro-launcher: %s\n", error.what());
    status = 1;
  }
  std::fflush(nullptr);
  ::_exit(status);
}

} // namespace

void serve_call(int socket, const operations::EngineFactory& make_engine) {
  const auto request = receive_frame(socket);
  if (!request) {
    return;
  }
  Front front(socket);
  try {
    if (request->kind != FrameKind::request) {
      throw Error(ErrorCode::protocol, "a call begins with its request");
    }
    const auto result = run(request->body, front, make_engine);
    front.tell(FrameKind::result, result);
  } catch (const Error& error) {
    front.tell(FrameKind::failure, to_json(error));
  } catch (const std::exception& error) {
    front.tell(FrameKind::failure, to_json(Error(ErrorCode::internal, "{}", error.what())));
  }
}

void serve(int control, const operations::EngineFactory& make_engine) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGCHLD, SIG_IGN); // the kernel reaps calls that ended
  while (true) {
    auto received = os::receive_with_fds(control, 1);
    if (received.fds.empty()) {
      return;
    }
    const auto socket = std::move(received.fds.front());
    const auto pid = ::fork();
    if (pid == 0) {
      be_the_call(control, socket.get(), make_engine);
    }
    if (pid < 0) {
      const auto error = Error::from_errno(errno, "start the process of a call");
      send_frame(socket.get(), FrameKind::failure, to_json(error));
    }
  }
}

} // namespace pyro::launcher
