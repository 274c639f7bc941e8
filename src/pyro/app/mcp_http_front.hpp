// `pyro mcp serve --http`: where it listens, and the token that clients have to know.
#pragma once

#include <pyro/cli/mcp_front.hpp>
#include <pyro/mcp/server.hpp>

namespace pyro::app {

/// False: the process should end without waiting for what still runs.
bool serve_mcp_http(mcp::Server& server, const cli::McpServeRequest& request);

} // namespace pyro::app
