// A command in a started workspace: its secrets given and taken out of its output, counted and logged.
#pragma once

#include "context.hpp"
#include "manager.hpp"
#include "workspace_handle.hpp"

namespace pyro::workspace {

/// Throws Error(bad_state) `must be in 'started' state before <operation>`, with why it is not.
void require_started(const store::WorkspaceRecord& record, const std::string& operation);

/// Output goes to `streams` while the command runs. A command on a terminal is neither counted nor logged.
ExecResult run_logged(
    const Context& context, const store::WorkspacePaths& paths, const store::WorkspaceRecord& record,
    const ExecRequest& request, const ExecStreams& streams);

} // namespace pyro::workspace
