// One apply from beginning to end, of a pyro.yaml or of what workspace_create was asked for.
#pragma once

#include "planning.hpp"

#include <pyro/protocol/service_requests.hpp>
#include <pyro/workspace/state/find_and_lock.hpp>

#include <vector>

namespace pyro::workspace {

struct Applied {
  std::string workspace_id;
  bool changed = false;
  Planned planned;
  std::vector<protocol::ServiceStatus> services;
  Json ports; // as status tells them
  std::vector<std::string> notes;
  std::vector<std::string> conflicts; // of seed.on_change: sync, left as they are inside
};

/// Held by whoever makes or takes over the workspace of an identity, so that there is never a second one.
os::ExclusiveLock
lock_identity(const Context& context, const std::string& identity, const std::string& operation);

/// Resolves the inputs, plans, asks where something would be lost, and carries the plan out under the locks
/// of the project's identity and of the workspace. A workspace whose first apply fails leaves nothing behind.
Applied
apply_project(Context& context, const LoadedProject& project, const ApplyOptions& options, bool color);

} // namespace pyro::workspace
