// A QEMU machine as the supervisor knows its guest.
#pragma once

#include <pyro/backend/qemu/launcher.hpp>
#include <pyro/supervisor/supervisor.hpp>

#include <memory>

namespace pyro::supervisor {

/// What the kernel says is kept (its last 64 KiB) and is in runtime_dir/console.log once the machine has
/// ended.
std::unique_ptr<Guest> make_guest(backend::qemu::VirtualSandbox sandbox, const backend::LaunchSpec& spec);

} // namespace pyro::supervisor
