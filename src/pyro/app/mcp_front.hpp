// The MCP server with the launcher behind it, for the command line.
#pragma once

#include <pyro/cli/mcp_front.hpp>

namespace pyro::app {

/// Serves on descriptors 0 and 1. Does not return where something still runs a second after the client has
/// gone: the process ends then, and with it what ran.
int serve_mcp(const cli::McpServeRequest& request);

} // namespace pyro::app
