// A command on a terminal of its own inside the workspace, joined with ours: for `pyro shell` and `pyro exec
// -t`.
#pragma once

#include "session.hpp"

namespace pyro::cli {

/// Raw mode, window size and Ctrl-] (leave) while the command runs; returns its exit status.
int attach(Session& session, operations::ExecRequest request);

/// The exit status of a finished exec; says what could not be started.
int exit_status_of_result(Session& session, const operations::ExecResult& result);

} // namespace pyro::cli
