// The launcher's side: one process of one thread that forks for each call.
#pragma once

#include <pyro/operations/engine.hpp>

namespace pyro::launcher {

/// Takes sockets of calls from `control` until its other end closes or our parent, which is the front, ends,
/// and runs each call in a child of its own. There the front's going away is an interrupt. Returns in the
/// launcher when that is over; a child leaves by _exit().
void serve(int control, const operations::EngineFactory& make_engine);

} // namespace pyro::launcher
