// Asking a sandbox that may have ended, or ends meanwhile.
#pragma once

#include <pyro/backend/control_client.hpp>
#include <pyro/base/error.hpp>

#include <optional>
#include <string>
#include <utility>

namespace pyro::workspace {

/// What `ask`, given the client, answers (a std::optional); nullopt also where no supervisor listens there,
/// or it has ended while it was asked (ControlClient::call).
template <typename Ask>
auto ask_if_running(const std::string& control_socket, const Ask& ask)
    -> decltype(ask(std::declval<backend::ControlClient&>())) {
  const auto client = backend::ControlClient::connect(control_socket);
  if (!client) {
    return std::nullopt;
  }
  try {
    return ask(*client);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::bad_state) {
      throw;
    }
    return std::nullopt;
  }
}

} // namespace pyro::workspace
