// A running sandbox held still, so that its files can be read at one instant.
#pragma once

#include <pyro/backend/control_client.hpp>

#include <memory>

namespace pyro::workspace {

/// Holds the sandbox still while it lives; a caller that dies lets go as well.
class Freeze {
public:
  explicit Freeze(backend::ControlClient& client);
  ~Freeze();
  Freeze(const Freeze&) = delete;
  Freeze& operator=(const Freeze&) = delete;

private:
  backend::ControlClient& m_client;
  std::shared_ptr<protocol::Call> m_call;
  bool m_frozen = false;
};

} // namespace pyro::workspace
