// Using a workspace: its commands and what they were, and the output of its services. `workspace` is an id, a
// unique id prefix or a name; empty: the one of `project`.
#pragma once

#include <pyro/workspace/context/requests.hpp>
#include <pyro/workspace/state/kept_output.hpp>

#include <cstdint>
#include <functional>
#include <string>

namespace pyro::workspace {

struct Context;

ExecResult exec_in_workspace(
    Context& context, const std::string& workspace, const Project& project, const ExecRequest& request,
    const ExecStreams& streams);

/// The command log: {"workspace_id", "count", "entries": [...], "next_cursor"}, oldest first: the last
/// `limit` of those before the sequence number `cursor`; 0: of all. Its `next_cursor` is null where there are
/// none before.
Json read_command_log(
    Context& context, const std::string& workspace, std::int64_t limit, std::int64_t cursor = 0);

/// For read_on(): what it wrote behind the first `shown` bytes. null: that is not kept.
Json cursor_of_output(
    const Context& context, const ExecResult& result, OutputStream stream, std::uint64_t shown);

/// What a command wrote from a cursor on: {"text", "next_cursor"} (kept_output.hpp).
Json read_on(Context& context, const std::string& cursor);

/// Lines of a service's output to the callback; follows until the service or the caller's `stop` says so.
void stream_service_logs(
    Context& context, const std::string& workspace, const Project& project, const std::string& service,
    int tail, bool follow,
    const std::function<void(const std::string& service, const std::string& line)>& line,
    const std::function<bool()>& stop);

/// What failed steps of all projects left, for ExecRequest::in_failed_step.
void remove_failed_steps(const Context& context);

} // namespace pyro::workspace
