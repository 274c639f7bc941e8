// One-shot VMs: created, started, given one command, gone. They stand on the environment's layers alone; all
// else (locks, recovery, the sandbox) is that of workspaces. `vm` is an id, a unique id prefix or a name.
#pragma once

#include <pyro/workspace/context/requests.hpp>

#include <string>

namespace pyro::workspace {

struct Context;

/// {"vm_id", "state": "created", …}
Json create_vm(Context& context, const VmRequest& request);

Json start_vm(Context& context, const std::string& vm);

/// Runs the one command and removes the VM, however the command ends.
ExecResult
exec_in_vm(Context& context, const std::string& vm, const ExecRequest& request, const ExecStreams& streams);

Json stop_vm(Context& context, const std::string& vm);

Json delete_vm(Context& context, const std::string& vm);

/// Of an expired one: deletes it and throws Error(bad_state) `expired and was automatically deleted`.
Json get_vm_status(Context& context, const std::string& vm);

/// The network's part of the same.
Json get_vm_network_info(Context& context, const std::string& vm);

Json list_vms(Context& context);

/// Removes the expired ones. {"count", "vms": [ids]}
Json reap_vms(Context& context);

/// Create, start, exec, delete in one.
ExecResult
run_vm(Context& context, const VmRequest& request, const ExecRequest& exec, const ExecStreams& streams);

} // namespace pyro::workspace
