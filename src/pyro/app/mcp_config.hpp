// `pyro mcp config`: the files of the clients that are to start the server.
#pragma once

#include <pyro/cli/mcp_front.hpp>

namespace pyro::app {

/// As cli::ConfigureMcp. The program that clients are to start is the running one.
Json configure_mcp(const cli::McpConfigRequest& request);

} // namespace pyro::app
