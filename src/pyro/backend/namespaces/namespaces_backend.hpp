// The `namespaces` backend as workspaces use it: asks what this machine can do and starts supervisors.
#pragma once

#include <pyro/backend/backend.hpp>

#include <memory>
#include <string>

namespace pyro::backend::namespaces {

/// `supervisor_path`: the program pyro-supervisor.
std::unique_ptr<Backend> make_backend(std::string supervisor_path);

} // namespace pyro::backend::namespaces
