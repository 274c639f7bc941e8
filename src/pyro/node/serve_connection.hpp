// The process of one connection on the node: one HTTP/2 session, and a process for each call in it
// (run_call.hpp).
#pragma once

#include <pyro/operations/engine.hpp>
#include <pyro/os/fd.hpp>

namespace pyro::node {

/// Until the other end closes: calls that still run are interrupted then. The process must have one thread;
/// children that it forks leave by _exit().
void serve_connection(os::Fd socket, const std::string& base, const operations::EngineFactory& make_engine);

} // namespace pyro::node
