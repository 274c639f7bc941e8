// Reading the parameters of vm_create, vm_exec and vm_run; also for the streaming calls of engine.cpp.
#pragma once

#include "operation.hpp"

namespace pyro::operations {

workspace::VmRequest vm_request_of(const Json& parameters);

/// command or argv, cwd, env, user, timeout_seconds (default 30). Throws Error(invalid_argument) for both or
/// neither of command and argv, and `must be positive` for a timeout of 0.
workspace::ExecRequest vm_command_of(const Json& parameters);

} // namespace pyro::operations
