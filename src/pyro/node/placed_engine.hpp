// The engine of every front: what is about a workspace that lives elsewhere goes there, everything else is
// done here. The table of operations and what they mean are the same on both ends.
#pragma once

#include <pyro/operations/engine.hpp>

#include <string>

namespace pyro::node {

/// `make_local` makes the engine of this machine; `program` is the path of pyro-node, here and on nodes.
std::unique_ptr<operations::Engine> make_placed_engine(
    const operations::Settings& settings, const operations::Callbacks& callbacks,
    const operations::EngineFactory& make_local, std::string program);

} // namespace pyro::node
