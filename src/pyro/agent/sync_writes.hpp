// Making sure that what a command wrote is on the disk.
#pragma once

#include "runtime.hpp"

#include <functional>

namespace pyro::agent {

/// Calls `done` once the writable layer holds what was written so far. A virtual machine can be killed at any
/// moment, and what its kernel has not written back goes with it; elsewhere, where this machine's kernel
/// keeps it, `done` is called at once.
void sync_writes(Runtime& runtime, std::function<void()> done);

} // namespace pyro::agent
