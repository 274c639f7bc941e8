// The whole command line as a function of its words, for the program and for tests.
#pragma once

#include "console.hpp"
#include "mcp_front.hpp"
#include "ssh_front.hpp"

#include <pyro/operations/engine.hpp>

#include <string>
#include <vector>

namespace pyro::cli {

/// Runs one command and returns its exit status. Nothing escapes but OutputClosed.
int run(
    const std::vector<std::string>& words, Console& console, const operations::EngineFactory& make_engine,
    const McpFront& mcp = {}, const ConfigureSsh& ssh = {});

} // namespace pyro::cli
