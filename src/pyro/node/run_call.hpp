// The process of one call on the node: reads what is called from its socket, runs it, and tells events and
// the result there.
#pragma once

#include <pyro/operations/engine.hpp>

namespace pyro::node {

/// Descriptors of a call; -1 for none.
struct CallStreams {
  int frames = -1; // a socket
  int in = -1;
  int out = -1;
  int err = -1;
};

/// Blocks until the call is over. What fails is told to the front; that the front is gone ends it. `base` is
/// the state directory.
void run_call(
    const CallStreams& streams, const std::string& base, const operations::EngineFactory& make_engine);

} // namespace pyro::node
