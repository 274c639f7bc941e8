// The program qemu-system-x86_64 of this machine.
#pragma once

#include <string>

namespace pyro::backend::qemu {

/// Its path; throws Error(unavailable) that says how to get it.
std::string find_qemu();

/// Changes when the program does (device, inode, size, time): cheaper than asking for its version every time.
std::string program_identity(const std::string& program);

} // namespace pyro::backend::qemu
