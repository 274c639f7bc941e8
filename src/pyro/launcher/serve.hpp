// The launcher's side: one process of one thread that forks for each call.
#pragma once

#include <pyro/operations/engine.hpp>

namespace pyro::launcher {

/// Takes sockets of calls from `control` until its other end closes, and runs each call in a child of its
/// own. Returns in the launcher when that is over; a child leaves by _exit().
void serve(int control, const operations::EngineFactory& make_engine);

/// Runs the call that arrives on `socket` and answers there. The other end going away is an interrupt.
void serve_call(int socket, const operations::EngineFactory& make_engine);

} // namespace pyro::launcher
