// Services of a running workspace as a whole: restarted, waited for. Those by hand one by one: services.hpp.
#pragma once

#include <pyro/workspace/context/requests.hpp>

#include <string>
#include <vector>

namespace pyro::workspace {

struct Context;

enum class WaitUntilReady { no, yes };

/// Stops and starts these services (none named: all), and those that asked to be restarted with them. Files
/// stay. Throws as wait_for_workspace() does.
Json restart_named_services(
    Context& context, const std::string& workspace, const Project& project,
    const std::vector<std::string>& services, WaitUntilReady wait, DryRun dry_run = DryRun::no);

/// Returns once nobody is at work on the workspace any more, it is started, and these services (none named:
/// all) are ready. Throws Error(not_ready) as soon as one of them will not be, Error(bad_state) where the
/// workspace is not started and nobody is starting it.
Json wait_for_workspace(
    Context& context, const std::string& workspace, const Project& project,
    const std::vector<std::string>& services);

} // namespace pyro::workspace
