#include "control_client.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/unix_socket.hpp>

namespace pyro::backend {

Error ControlClient::sandbox_ended() const {
  const auto what = m_explain ? m_explain() : "";
  return {
      ErrorCode::bad_state, "{}",
      what.empty() ? "the workspace must be in 'started' state: its sandbox ended meanwhile" : what};
}

std::unique_ptr<ControlClient> ControlClient::connect(const std::string& socket_path) {
  auto socket = os::maybe_connect_unix(socket_path);
  return socket ? std::unique_ptr<ControlClient>(new ControlClient(std::move(*socket))) : nullptr;
}

ControlClient::ControlClient(os::Fd socket) : m_peer(os::peer_credentials(socket.get()).pid) {
  os::BytePump::Callbacks callbacks;
  callbacks.on_bytes = [this](std::string_view bytes) {
    m_session.feed(bytes);
  };
  callbacks.pull = [this] {
    return m_session.take_output();
  };
  callbacks.on_closed = [this](const Error*) {
    m_lost = true;
    m_session.transport_lost();
  };
  m_pump = std::make_unique<os::BytePump>(m_loop, std::move(socket), std::move(callbacks));
  m_session.on_output([this] { m_pump->wake(); });
}

std::shared_ptr<protocol::Call>
ControlClient::open(const std::string& path, const Json& request, protocol::CallEvents events) {
  if (m_lost) {
    throw sandbox_ended();
  }
  if (!events.on_lost && events.on_failure) {
    events.on_lost = [this, tell = events.on_failure](const Error&) {
      tell(sandbox_ended());
    };
  }
  try {
    return protocol::open_call(m_session, path, request, std::move(events));
  } catch (const Error& error) {
    if (error.code() == ErrorCode::unavailable) { // the session has ended, which the pump has not told yet
      throw sandbox_ended();
    }
    throw;
  }
}

Json ControlClient::call(
    const std::string& path, const Json& request, std::chrono::milliseconds limit,
    std::function<void(const Json&)> on_message) {
  std::optional<Json> result;
  std::optional<Error> failure;
  protocol::CallEvents events;
  events.on_result = [&](const Json& value) {
    result = value;
  };
  events.on_failure = [&](const Error& error) {
    failure = error;
  };
  events.on_message = std::move(on_message);
  const auto call = open(path, request, std::move(events));
  const auto deadline = os::now_monotonic() + limit;
  while (!result && !failure) {
    const auto left = limit.count() == 0 ? std::chrono::milliseconds(60'000) : deadline - os::now_monotonic();
    if (left.count() <= 0) {
      call->cancel();
      throw Error(ErrorCode::timeout, "no answer to {} within {} ms", path, limit.count());
    }
    m_loop.turn(left);
  }
  if (failure) {
    throw *failure;
  }
  return *result;
}

} // namespace pyro::backend
