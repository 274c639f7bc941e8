// The `qemu` backend as the manager sees it: virtual machines.
#pragma once

#include <pyro/backend/backend.hpp>

#include <memory>
#include <string>

namespace pyro::backend::qemu {

/// `supervisor_path`: the program pyro-supervisor.
std::unique_ptr<Backend> make_backend(std::string supervisor_path);

} // namespace pyro::backend::qemu
