// Reading the parameters of vm_create, vm_exec and vm_run; also for the streaming calls of engine.cpp.
#pragma once

#include "operation.hpp"

namespace pyro::operations {

/// environment, name, sizes, ttl_seconds, network_policy, backend, allow_host_compat: also of
/// workspace_create.
workspace::VmRequest vm_request_of(const Json& parameters);

/// Reads cwd, env, user and timeout_seconds (default 30) of an operation that runs a command, workspace_exec
/// too. Throws Error(invalid_argument) `must be positive` for a timeout of 0.
void read_command_options(const Json& parameters, workspace::ExecRequest& request);

/// command or argv, cwd, env, user, timeout_seconds (default 30). Throws Error(invalid_argument) for both or
/// neither of command and argv, and `must be positive` for a timeout of 0.
workspace::ExecRequest vm_command_of(const Json& parameters);

} // namespace pyro::operations
