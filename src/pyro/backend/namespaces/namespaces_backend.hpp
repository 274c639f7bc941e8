// The `namespaces` backend as workspaces use it: asks what this machine can do and starts supervisors.
#pragma once

#include <pyro/backend/backend.hpp>

#include <memory>
#include <string>

namespace pyro::backend::namespaces {

/// `supervisor_path`: the program pyro-supervisor. `staging`: the part of the state directory where probe()
/// tries whether sandboxes can write there.
std::unique_ptr<Backend> make_backend(std::string supervisor_path, std::string staging);

} // namespace pyro::backend::namespaces
