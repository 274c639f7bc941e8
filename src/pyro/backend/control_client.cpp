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

std::vector<ControlClient::Answer>
ControlClient::call_all(const std::vector<std::string>& paths, std::chrono::milliseconds limit) {
  struct Asked {
    std::vector<Answer> answers;
    std::size_t open = 0;
  };

  const auto asked = std::make_shared<Asked>(); // should one of them not be sent the others still come
  asked->answers.resize(paths.size());
  asked->open = paths.size();
  std::vector<std::shared_ptr<protocol::Call>> calls;
  for (std::size_t index = 0; index < paths.size(); ++index) {
    protocol::CallEvents events;
    events.on_result = [asked, index](const Json& value) {
      asked->answers[index].result = value;
      --asked->open;
    };
    events.on_failure = [asked, index](const Error& error) {
      asked->answers[index].failure = error;
      --asked->open;
    };
    calls.push_back(open(paths[index], Json::object(), std::move(events)));
  }
  const auto deadline = os::now_monotonic() + limit;
  for (auto left = limit; asked->open > 0 && left.count() > 0; left = deadline - os::now_monotonic()) {
    m_loop.turn(left);
  }
  auto& answers = asked->answers;
  for (std::size_t index = 0; index < paths.size(); ++index) {
    if (!answers[index].result && !answers[index].failure) {
      calls[index]->cancel();
      answers[index].failure =
          Error(ErrorCode::timeout, "no answer to {} within {} ms", paths[index], limit.count());
    }
  }
  return std::move(answers);
}

} // namespace pyro::backend
