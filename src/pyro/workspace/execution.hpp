// Using a workspace: its commands and what they were, and the output of its services. `workspace` is an id, a
// unique id prefix or a name; empty: the one of `project`.
#pragma once

#include <pyro/workspace/context/requests.hpp>

#include <cstdint>
#include <functional>
#include <string>

namespace pyro::workspace {

struct Context;

ExecResult exec_in_workspace(
    Context& context, const std::string& workspace, const Project& project, const ExecRequest& request,
    const ExecStreams& streams);

/// The command log: {"workspace_id", "count", "entries": [...]}, the last `limit` entries, oldest first.
Json read_command_log(Context& context, const std::string& workspace, std::int64_t limit);

/// Lines of a service's output to the callback; follows until the service or the caller's `stop` says so.
void stream_service_logs(
    Context& context, const std::string& workspace, const Project& project, const std::string& service,
    int tail, bool follow,
    const std::function<void(const std::string& service, const std::string& line)>& line,
    const std::function<bool()>& stop);

/// What failed steps of all projects left, for ExecRequest::in_failed_step.
void remove_failed_steps(const Context& context);

} // namespace pyro::workspace
