// Waiting for what may not exist yet: a workspace, a service, a snapshot. For services of a workspace that is
// there: service_control.hpp.
#pragma once

#include <pyro/workspace/context/requests.hpp>

#include <string>
#include <vector>

namespace pyro::workspace {

struct Context;

/// Each of "ready" (the workspace is started, all its services are ready), "ready=SERVICE", "absent" (there
/// is no workspace, or it was destroyed) and "snapshot=NAME" (one by that name, not out of date). Returns
/// when all hold at once: {"workspace_id", "name", "state", "services", "duration_ms"}.
/// Error(usage) for another word; Error(not_ready) as soon as a service will not become ready;
/// where the caller's time is over the error says what was missing.
Json wait_for_conditions(
    Context& context, const std::string& workspace, const Project& project,
    const std::vector<std::string>& conditions);

} // namespace pyro::workspace
