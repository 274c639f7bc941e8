// The `qemu` backend as workspaces use it: virtual machines.
#pragma once

#include <pyro/backend/backend.hpp>

#include <memory>
#include <string>

namespace pyro::backend::qemu {

/// `supervisor_path`: the program pyro-supervisor. `templates_dir`: as VirtualMachine::templates_dir.
std::unique_ptr<Backend> make_backend(std::string supervisor_path, std::string templates_dir);

} // namespace pyro::backend::qemu
