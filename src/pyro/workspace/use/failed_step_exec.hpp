// A command in what a failed step left (sandbox/failed_step.hpp): in a sandbox as the step had it, with its
// user, directory, variables and secrets. What the command changes there stays until it is forgotten.
#pragma once

#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/context/project.hpp>

namespace pyro::workspace {

ExecResult exec_in_failed_step(
    Context& context, const Project& project, const ExecRequest& request, const ExecStreams& streams);

} // namespace pyro::workspace
