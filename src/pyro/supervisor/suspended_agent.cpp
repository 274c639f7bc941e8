#include "suspended_agent.hpp"

#include <pyro/backend/shared/guest_dialogue.hpp>
#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/protocol/call.hpp>
#include <pyro/protocol/requests.hpp>

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <optional>
#include <poll.h>

namespace pyro::supervisor {

namespace {

constexpr std::chrono::seconds k_limit{20};

void await(int channel, short events, std::chrono::milliseconds deadline) {
  const auto left = deadline - os::now_monotonic();
  pollfd waiting{channel, events, 0};
  if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) == 0) {
    throw Error(ErrorCode::timeout, "the agent did not come to a stop within {} s", k_limit.count());
  }
}

void send_everything(protocol::Session& session, int channel, std::chrono::milliseconds deadline) {
  for (auto bytes = session.take_output(); !bytes.empty(); bytes = session.take_output()) {
    for (std::size_t sent = 0; sent < bytes.size();) {
      await(channel, POLLOUT, deadline);
      const auto count =
          ::send(channel, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count < 0 && errno != EAGAIN && errno != EINTR) {
        throw Error::from_errno(errno, "write to the agent");
      }
      sent += count > 0 ? static_cast<std::size_t>(count) : 0;
    }
  }
}

/// Whatever it says is of the session: of lines it says none before it is asked for one.
void receive_some(protocol::Session& session, int channel, std::chrono::milliseconds deadline) {
  std::array<char, 4096> buffer{};
  await(channel, POLLIN, deadline);
  const auto count = ::recv(channel, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (count == 0) {
    throw Error(ErrorCode::unavailable, "the agent is gone");
  }
  if (count > 0) {
    session.feed({buffer.data(), static_cast<std::size_t>(count)});
  } else if (errno != EAGAIN && errno != EINTR) {
    throw Error::from_errno(errno, "read from the agent");
  }
}

} // namespace

SuspendedAgent::SuspendedAgent(protocol::Session& session, int channel) : m_channel(channel) {
  const auto deadline = os::now_monotonic() + k_limit;
  bool done = false;
  std::optional<Error> failure;
  protocol::CallEvents events;
  events.on_result = [&](const Json&) {
    done = true;
  };
  events.on_failure = [&](const Error& error) {
    failure = error;
  };
  const auto call =
      protocol::open_call(session, std::string(protocol::path::k_suspend), Json::object(), std::move(events));
  while (!done && !failure) {
    send_everything(session, channel, deadline);
    receive_some(session, channel, deadline);
  }
  if (failure) {
    throw *failure;
  }
  backend::GuestDialogue(channel).leave_session(k_limit);
}

void SuspendedAgent::resume() {
  const auto now = static_cast<std::int64_t>(os::now_epoch() * 1000);
  backend::GuestDialogue(m_channel).ask({{"do", "resume"}, {"epoch_ms", now}}, k_limit);
}

} // namespace pyro::supervisor
