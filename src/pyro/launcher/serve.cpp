#include "serve.hpp"

#include "frame.hpp"
#include "settings_json.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/unix_socket.hpp>

#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <mutex>
#include <poll.h>
#include <unistd.h>

namespace pyro::launcher {

namespace {

/// Has the front cancelled, or gone? Whatever it says after its request is that, and so is the end of its
/// process: one that it forked may still hold the socket.
class Front {
public:
  Front(int socket, int process) : m_socket(socket), m_process(process) {}

  bool has_had_enough() {
    if (!m_is_over) {
      std::array<pollfd, 2> watched{pollfd{m_socket, POLLIN | POLLRDHUP, 0}, pollfd{m_process, POLLIN, 0}};
      m_is_over = ::poll(watched.data(), watched.size(), 0) > 0;
    }
    return m_is_over;
  }

  /// What goes on needs nobody who listens. Any thread may tell.
  void tell(FrameKind kind, const Json& body) {
    const std::lock_guard guard(m_mutex);
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
  int m_process;
  bool m_is_over = false;
  std::mutex m_mutex;     // for what is told, and
  bool m_is_gone = false; // this
};

/// A descriptor that can be read once the front's process has ended.
os::Fd front_process() {
  return os::Fd(static_cast<int>(::syscall(SYS_pidfd_open, ::getppid(), 0)));
}

operations::Settings full_settings(const operations::CallSettings& given) {
  operations::Settings settings;
  settings.base = given.base;
  settings.lock_timeout = given.lock_timeout;
  settings.trust = given.trust_once ? operations::TrustGrant::once : operations::TrustGrant::recorded;
  return settings;
}

Json run(const Json& request, Front& front, const operations::EngineFactory& make_engine) {
  const auto settings = settings_from_json(value_at(request, "settings"));
  if (!settings.directory.empty() && ::chdir(settings.directory.c_str()) != 0) {
    const int error = errno;
    throw Error::from_errno(error, fmt::format("enter {}", settings.directory))
        .add_context("where the caller is");
  }
  operations::Callbacks callbacks;
  callbacks.stream_output = settings.stream_output;
  callbacks.events = [&front](const operations::Event& event) {
    front.tell(FrameKind::event, to_json(event));
  };
  callbacks.interrupted = [&front] {
    return front.has_had_enough();
  };
  auto engine = make_engine(full_settings(settings), callbacks);
  return engine->call(get_string(request, "operation"), value_at(request, "parameters"));
}

void serve_call(int socket, int process, const operations::EngineFactory& make_engine) {
  Front front(socket, process);
  front.tell(FrameKind::begun, nullptr);
  const auto request = receive_frame(socket);
  if (!request) {
    return;
  }
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

/// Blocks until there is something on `control` to receive. False: the front's process has ended.
bool wait_for_calls(int control, int process) {
  while (true) {
    std::array<pollfd, 2> watched{pollfd{control, POLLIN, 0}, pollfd{process, POLLIN, 0}};
    if (::poll(watched.data(), watched.size(), -1) < 0) {
      if (errno != EINTR) {
        throw Error::from_errno(errno, "wait for calls");
      }
    } else if (watched[1].revents != 0) {
      return false;
    } else if (watched[0].revents != 0) {
      return true;
    }
  }
}

[[noreturn]] void
be_the_call(int control, int socket, int process, const operations::EngineFactory& make_engine) {
  ::close(control);
  std::signal(SIGCHLD, SIG_DFL); // calls wait for their own children
  int status = 0;
  try {
    serve_call(socket, process, make_engine);
  } catch (const std::exception& error) { // the front is told by the closing socket
    std::fprintf(stderr, "pyro-launcher: %s\n", error.what());
    status = 1;
  }
  std::fflush(nullptr);
  ::_exit(status);
}

} // namespace

void serve(int control, const operations::EngineFactory& make_engine) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGCHLD, SIG_IGN); // the kernel reaps calls that ended
  const auto process = front_process();
  while (wait_for_calls(control, process.get())) {
    auto received = os::receive_with_fds(control, 1);
    if (received.fds.empty()) {
      return;
    }
    const auto socket = std::move(received.fds.front());
    const auto pid = ::fork();
    if (pid == 0) {
      be_the_call(control, socket.get(), process.get(), make_engine);
    }
    if (pid < 0) {
      const auto error = Error::from_errno(errno, "start the process of a call");
      send_frame(socket.get(), FrameKind::failure, to_json(error));
    }
  }
}

} // namespace pyro::launcher
