// The program qemu-system-x86_64 of this machine.
#pragma once

#include <string>

namespace pyro::backend::qemu {

/// Its path; throws Error(unavailable) that says how to get it.
std::string find_qemu();

} // namespace pyro::backend::qemu
