// Time to live and idle time: what a file or a request says of them, in the record and at the supervisor.
#pragma once

#include "workspace_handle.hpp"

#include <pyro/spec/spec.hpp>

#include <cstdint>
#include <string>

namespace pyro::workspace {

struct LifecyclePolicy {
  std::int64_t ttl_ms = 0;  // 0: none
  std::int64_t idle_ms = 0; // without a client or a connection to a port; 0: none
  bool destroy_when_idle = false;
  bool destroy_when_expired = false;
};

LifecyclePolicy policy_of(const spec::Lifecycle& lifecycle);
LifecyclePolicy lifecycle_of(const store::WorkspaceRecord& record);

/// Notes the policy in the record; the time to live begins anew with `restart` or where it changed. True:
/// something that the supervisor has to know changed.
bool note_lifecycle(store::WorkspaceRecord& record, const LifecyclePolicy& policy, bool restart);

/// Tells a running supervisor what the record says. Fine where none runs.
void tell_supervisor(const LockedWorkspace& workspace);

/// Has a sandbox that ended for `reason` ("expired", "idle", …) to be destroyed?
bool ends_in_destruction(const store::WorkspaceRecord& record, const std::string& reason);

/// Marks a stopped workspace as destroyed, kept for undo for a day. Not saved. Returns the generation that
/// nothing needs any more; 0: none.
int note_destroyed(store::WorkspaceRecord& record, const std::string& reason);

} // namespace pyro::workspace
