// Writable layers that the file system itself holds to `resources.disk` (docs/decisions/0044): they get a
// project of it when they are made. What happens at the limit: disk_quota.hpp in supervisor.
#pragma once

#include "sandboxes.hpp"

#include <pyro/os/project_claims.hpp>

#include <string>

namespace pyro::workspace {

/// The project that the generation belongs to from now on, held to its limit; 0: none, and the
/// supervisor has to watch. `note`: why, where there should have been one.
os::ProjectId hold_to_quota(const Context& context, const backend::LaunchSpec& spec, std::string& note);

/// Takes the limits off projects whose files have been removed: after the removal of generations. Never
/// throws; what it could not do, the next one does.
void release_quotas(const store::Base& base);

/// Why the file system of the state directory (which need not be there yet) holds no writable layer; empty:
/// it does.
std::string why_no_quota(const std::string& path);

/// For who ran a command that failed: was a writer refused by the quota since then (epoch)? Empty: no.
std::string quota_note(backend::ControlClient& client, double since);

} // namespace pyro::workspace
