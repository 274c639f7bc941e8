// The record behind a one-shot VM. Its states and commands: workspace/vms.cpp.
#pragma once

#include "find_and_lock.hpp"

#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/context/requests.hpp>

#include <string>

namespace pyro::workspace {

/// A record in state `created` on the environment's layers, which are pulled or built where they are missing;
/// not saved. The caller holds store::lock_store_shared() until it is. Throws Error(invalid_argument) for
/// values that are out of bounds and for an unknown backend.
store::WorkspaceRecord new_vm(Context& context, const VmRequest& request);

/// By id, unique id prefix or name. Throws Error(invalid_argument) `does not exist`.
std::string vm_id_of(const Context& context, const std::string& wanted);

/// Locked and recovered.
LockedWorkspace lock_vm(Context& context, const std::string& wanted, const std::string& operation);

bool is_expired(const store::WorkspaceRecord& record);

/// Removes it with whatever runs in it.
void remove_vm(const Context& context, const LockedWorkspace& vm);

/// Where its time is over: removes it and throws Error(bad_state) `expired and was automatically deleted`.
void refuse_expired(const Context& context, const LockedWorkspace& vm);

/// What the operations return of it.
Json describe_vm(const store::WorkspaceRecord& record);

} // namespace pyro::workspace
