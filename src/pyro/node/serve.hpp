// `pyro-node serve`: the foreground process of a lease. Everything of the lease is below it and ends with it.
#pragma once

#include <pyro/operations/engine.hpp>

namespace pyro::node {

/// Takes connections (connect.hpp) until SIGTERM; then ends every sandbox and process of the lease and
/// removes its directory. The exit status.
int serve(const operations::EngineFactory& make_engine);

} // namespace pyro::node
