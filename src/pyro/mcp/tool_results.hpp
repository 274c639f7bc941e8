// How the end of a call looks to a client.
#pragma once

#include "calls.hpp"

namespace pyro::mcp {

/// CallToolResult: the operation's document as structured content and as text; an error with isError, its
/// text for a model to read: what, where, and the way out.
Json tool_result(const CallOutcome& outcome);

/// What is answered while it still runs, to clients that take no tasks.
Json pending_result(const Call& call);

/// The Task of the extension io.modelcontextprotocol/tasks, with its result where it has one.
Json task_of(const Call& call);

} // namespace pyro::mcp
