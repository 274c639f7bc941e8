// What the programs with pyro's command line have in common: how they start, and how their ends are told.
#pragma once

#include <pyro/cli/mcp_front.hpp>
#include <pyro/cli/ssh_front.hpp>

namespace pyro::app {

/// Runs the command line with the real engine; the exit status. `mcp`, `ssh`: how `pyro mcp …` and
/// `pyro ssh-config` are done in this one.
int run_program(int argc, char** argv, const cli::McpFront& mcp, const cli::ConfigureSsh& ssh = {});

} // namespace pyro::app
