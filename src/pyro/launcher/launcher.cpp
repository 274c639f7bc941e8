#include "launcher.hpp"

#include "frame.hpp"
#include "settings_json.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/unix_socket.hpp>

#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace pyro::launcher {

namespace {

constexpr int k_control = 3; // where the launcher finds its socket
constexpr std::chrono::milliseconds k_poll{50};
constexpr std::chrono::seconds k_begin_patience{10}; // a fork, on a machine with much to do
constexpr std::chrono::seconds k_patience{5};        // with a launcher that has nothing to do but to end

bool is_readable(int socket, std::chrono::milliseconds patience) {
  pollfd watched{socket, POLLIN, 0};
  const int count = ::poll(&watched, 1, static_cast<int>(patience.count()));
  if (count < 0 && errno != EINTR) {
    throw Error::from_errno(errno, "wait for a call");
  }
  return count > 0;
}

/// No socket of ours has the number of a standard stream that the program we are in has closed.
std::pair<os::Fd, os::Fd> socket_pair() {
  auto [ours, theirs] = os::socket_pair();
  const auto high = [](os::Fd fd) {
    return fd.get() > STDERR_FILENO ? std::move(fd) : os::duplicate(fd.get(), STDERR_FILENO + 1);
  };
  return {high(std::move(ours)), high(std::move(theirs))};
}

/// Reads to the result; asks the front between whiles whether it still wants it.
Json wait_for_result(int socket, const operations::Callbacks& callbacks) {
  bool is_cancelled = false;
  while (true) {
    if (!is_cancelled && callbacks.interrupted && callbacks.interrupted()) {
      send_frame(socket, FrameKind::cancel, nullptr);
      is_cancelled = true;
    }
    if (!is_readable(socket, k_poll)) {
      continue;
    }
    const auto frame = receive_frame(socket);
    if (!frame) {
      throw Error(ErrorCode::internal, "the process that ran the call ended before it was done")
          .with_hint("the state is as after a kill: the next call finds a valid one");
    }
    switch (frame->kind) {
    case FrameKind::event:
      if (callbacks.events) {
        callbacks.events(operations::event_from_json(frame->body));
      }
      break;
    case FrameKind::result:
      return frame->body;
    case FrameKind::failure:
      throw error_from_json(frame->body);
    case FrameKind::request:
    case FrameKind::begun:
    case FrameKind::cancel:
      throw Error(ErrorCode::protocol, "a frame of a call came from the wrong end");
    }
  }
}

} // namespace

Launcher::Launcher(std::string program)
    : m_program(std::move(program)), m_variables(os::inherited_environment()) {
}

/// The end of its socket ends the launcher. Said aloud: a process that somebody forked from ours may still
/// hold the socket.
Launcher::~Launcher() {
  if (m_control) {
    ::shutdown(m_control.get(), SHUT_RDWR);
  }
  m_process.end(k_patience);
}

void Launcher::start() {
  auto [ours, theirs] = socket_pair();
  const auto nothing = os::open_file("/dev/null", O_RDWR);
  const bool has_errors = ::fcntl(STDERR_FILENO, F_GETFD) >= 0;
  m_process = os::HelperProcess::start( // in a session of its own: a terminal's signals are for the front
      m_program, m_variables,
      {{0, nothing.get()},
       {1, nothing.get()},
       {2, has_errors ? STDERR_FILENO : nothing.get()},
       {k_control, theirs.get()}});
  m_control = std::move(ours);
  ++m_launcher;
}

void Launcher::give_up(int launcher) {
  const std::lock_guard guard(m_mutex);
  if (launcher == m_launcher && m_control) {
    m_control.reset();
    m_process.end(std::chrono::milliseconds(0));
  }
}

void Launcher::wait_for_begin(const Way& way, const operations::Callbacks& callbacks) {
  const auto deadline = std::chrono::steady_clock::now() + k_begin_patience;
  while (!is_readable(way.socket.get(), k_poll)) {
    if (callbacks.interrupted
        && callbacks.interrupted()) { // the end of the socket says so to who takes it up
      throw Error(ErrorCode::interrupted, "the call was cancelled before it began");
    }
    if (std::chrono::steady_clock::now() > deadline) {
      give_up(way.launcher);
      throw Error(
          ErrorCode::unavailable, "pyro-launcher did not begin the call within {} s",
          k_begin_patience.count())
          .with_hint(
              "it was stopped, or this machine has far too much to do; the next call starts another one");
    }
  }
  const auto frame = receive_frame(way.socket.get());
  if (frame && frame->kind == FrameKind::failure) {
    throw error_from_json(frame->body);
  }
  if (!frame || frame->kind != FrameKind::begun) {
    throw Error(ErrorCode::internal, "the process that was to run the call ended before it began");
  }
}

Launcher::Way Launcher::connect() {
  const std::lock_guard guard(m_mutex);
  auto [ours, theirs] = socket_pair();
  if (m_control) {
    try {
      os::send_with_fds(m_control.get(), "c", {theirs.get()});
      return {std::move(ours), m_launcher};
    } catch (const Error&) { // it ended: another one
      m_control.reset();
      m_process.end(k_patience);
    }
  }
  start();
  os::send_with_fds(m_control.get(), "c", {theirs.get()});
  return {std::move(ours), m_launcher};
}

Json Launcher::call(
    std::string_view operation, const Json& parameters, const operations::CallSettings& settings,
    const operations::Callbacks& callbacks) {
  const auto way = connect();
  wait_for_begin(way, callbacks);
  send_frame(
      way.socket.get(), FrameKind::request,
      {{"operation", operation}, {"parameters", parameters}, {"settings", settings_to_json(settings)}});
  return wait_for_result(way.socket.get(), callbacks);
}

} // namespace pyro::launcher
