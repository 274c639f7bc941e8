// The stdio transport: a message a line, on descriptors 0 and 1.
#pragma once

#include "server.hpp"

namespace pyro::mcp {

/// Serves until `input` ends or `interrupted` (polled) says so; then interrupts what runs and is back within
/// a second. False: something still ran then, and the process should end without waiting for it.
bool serve_stdio(Server& server, int input, int output, const std::function<bool()>& interrupted);

} // namespace pyro::mcp
