// What only the program knows: where its helpers are and which backends there are.
#pragma once

#include <pyro/operations/engine.hpp>

#include <string>

namespace pyro::app {

/// Where pyro-supervisor and pyro-agent are: PYRO_LIBEXEC, else ../libexec/pyro beside the program
/// (installed), else the program's own directory (a build tree).
std::string libexec_directory();

/// make_engine() with backends and helpers filled in.
std::unique_ptr<operations::Engine>
make_wired_engine(operations::Settings settings, operations::Callbacks callbacks);

/// The engine of fronts: the same, and workspaces that live elsewhere (node/placed_engine.hpp).
std::unique_ptr<operations::Engine>
make_front_engine(operations::Settings settings, const operations::Callbacks& callbacks);

} // namespace pyro::app
