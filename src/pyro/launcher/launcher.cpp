#include "launcher.hpp"

#include "frame.hpp"
#include "settings_json.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/program_environment.hpp>
#include <pyro/os/unix_socket.hpp>

#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace pyro::launcher {

namespace {

constexpr int k_control = 3; // where the launcher finds its socket
constexpr std::chrono::milliseconds k_poll{50};

bool is_readable(int socket, std::chrono::milliseconds patience) {
  pollfd watched{socket, POLLIN, 0};
  const int count = ::poll(&watched, 1, static_cast<int>(patience.count()));
  if (count < 0 && errno != EINTR) {
    throw Error::from_errno(errno, "wait for a call");
  }
  return count > 0;
}

operations::Event event_of(const Json& body) {
  const auto data = body.find("data");
  return {
      string_or(body, "kind", ""), string_or(body, "address", ""), string_or(body, "text", ""),
      data == body.end() ? Json() : *data};
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
        callbacks.events(event_of(frame->body));
      }
      break;
    case FrameKind::result:
      return frame->body;
    case FrameKind::failure:
      throw error_from_json(frame->body);
    case FrameKind::request:
    case FrameKind::cancel:
      throw Error(ErrorCode::protocol, "a frame of a call came from the wrong end");
    }
  }
}

} // namespace

Launcher::Launcher(std::string program) : m_program(std::move(program)) {
}

/// Its socket closes, which is what ends the launcher; its calls see their own sockets close.
Launcher::~Launcher() {
  m_control.reset();
  if (m_child.pid() > 0) {
    std::ignore = m_child.wait();
  }
}

void Launcher::start() {
  auto [ours, theirs] = os::socket_pair();
  os::Command command;
  command.argv = {m_program};
  command.env = os::inherited_environment();
  command.new_session = true; // what a terminal sends is for the front, which tells its calls
  const auto nothing = os::open_file("/dev/null", O_RDWR);
  command.fds = {{0, nothing.get()}, {1, nothing.get()}, {2, 2}, {k_control, theirs.get()}};
  m_child = os::spawn(command);
  m_control = std::move(ours);
}

os::Fd Launcher::connect() {
  const std::lock_guard guard(m_mutex);
  auto [ours, theirs] = os::socket_pair();
  if (m_control) {
    try {
      os::send_with_fds(m_control.get(), "c", {theirs.get()});
      return std::move(ours);
    } catch (const Error&) { // it ended: another one
      m_control.reset();
      std::ignore = m_child.wait();
    }
  }
  start();
  os::send_with_fds(m_control.get(), "c", {theirs.get()});
  return std::move(ours);
}

Json Launcher::call(
    std::string_view operation, const Json& parameters, const operations::CallSettings& settings,
    const operations::Callbacks& callbacks) {
  const auto socket = connect();
  send_frame(
      socket.get(), FrameKind::request,
      {{"operation", operation}, {"parameters", parameters}, {"settings", settings_to_json(settings)}});
  return wait_for_result(socket.get(), callbacks);
}

} // namespace pyro::launcher
