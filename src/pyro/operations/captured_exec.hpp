// A command whose output is returned instead of streamed: what all operations that run one share.
#pragma once

#include "operation.hpp"
#include "schema_parts.hpp"

#include <functional>

namespace pyro::operations {

/// The properties of a result: exit_code, stdout, stderr, …
Properties exec_result_properties();

/// Runs `exec` with captured streams. stdin and max_output_bytes are read from the parameters; `request` is
/// complete but for poll_control, with which an interrupt becomes the command's SIGINT and then
/// Error(interrupted).
Json run_captured(
    Context& context, const Json& parameters, workspace::ExecRequest request,
    const std::function<workspace::ExecResult(const workspace::ExecRequest&, const workspace::ExecStreams&)>&
        exec);

} // namespace pyro::operations
