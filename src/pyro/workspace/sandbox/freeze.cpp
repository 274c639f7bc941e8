#include "freeze.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>

namespace pyro::workspace {

Freeze::Freeze(backend::ControlClient& client) : m_client(client) {
  std::optional<Error> failure;
  protocol::CallEvents events;
  events.on_message = [this](const Json&) {
    m_frozen = true;
  };
  events.on_failure = [&](const Error& error) {
    failure = error;
  };
  m_call = client.open("/freeze", Json::object(), std::move(events));
  const auto deadline = os::now_monotonic() + std::chrono::seconds(15);
  while (!m_frozen && !failure && os::now_monotonic() < deadline) {
    client.loop().turn(std::chrono::milliseconds(1000));
  }
  m_call->set_events({});
  if (failure) {
    throw *failure;
  }
  if (!m_frozen) {
    throw Error(ErrorCode::timeout, "the sandbox did not stand still within 15 s");
  }
}

Freeze::~Freeze() {
  m_call->send(Json{{"thaw", true}});
  try {
    m_client.loop().turn(std::chrono::milliseconds(50));
  } catch (const Error&) {
    // The connection is gone, and with it the freeze.
  }
}

} // namespace pyro::workspace
