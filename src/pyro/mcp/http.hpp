// The Streamable HTTP transport, of both eras: one endpoint, /mcp, to which each message is a POST of its
// own. A modern request stands alone, and leaving it withdraws it; legacy ones belong to a session.
#pragma once

#include "http_address.hpp"
#include "server.hpp"

#include <optional>

namespace pyro::mcp {

struct HttpOptions {
  os::Fd listener;
  HttpAddress address;
  std::optional<std::string> token; // nullopt: none is asked for
};

/// Serves until `interrupted` (polled) says so; then interrupts what runs and is back within a second. False:
/// something still ran then, and the process should end without waiting for it.
bool serve_http(Server& server, HttpOptions options, const std::function<bool()>& interrupted);

} // namespace pyro::mcp
