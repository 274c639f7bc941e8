// Whether a workspace runs: stop and start. What it holds is content.hpp's. `workspace` is an id, a unique id
// prefix or a name; empty: the one of `project`.
#pragma once

#include <pyro/workspace/context/requests.hpp>

#include <string>

namespace pyro::workspace {

struct Context;

/// Stops it in order: what its services wrote, and the files of a virtual machine, can still be read.
Json shut_down_workspace(
    Context& context, const std::string& workspace, const Project& project, DryRun dry_run = DryRun::no);

/// Starts it where it is stopped, with its services.
Json bring_up_workspace(
    Context& context, const std::string& workspace, const Project& project, DryRun dry_run = DryRun::no);

} // namespace pyro::workspace
