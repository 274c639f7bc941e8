// The `host` backend: no isolation. Commands are ordinary processes of this machine, of whoever runs pyro;
// only /workspace is a directory of the workspace's own. Taken only where somebody agreed to it in so many
// words (allow_host_compat).
#pragma once

#include <pyro/backend/backend.hpp>

#include <memory>
#include <string>

namespace pyro::backend::host {

/// `supervisor_path`: the program pyro-supervisor.
std::unique_ptr<Backend> make_backend(std::string supervisor_path);

} // namespace pyro::backend::host
