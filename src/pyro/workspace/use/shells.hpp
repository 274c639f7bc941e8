// Shells: terminals that live in the sandbox, opened, read and written by whoever comes. All there is of them
// is in the agent, so they end with the sandbox, and nothing of theirs is written down on this machine.
#pragma once

#include <pyro/protocol/shell_requests.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/context/requests.hpp>
#include <pyro/workspace/sandbox/sandboxes.hpp>

#include <string>

namespace pyro::workspace {

/// A started workspace and the way to its agent.
struct ShellHost {
  store::WorkspacePaths paths;
  store::WorkspaceRecord record;
  std::unique_ptr<backend::ControlClient> client;
};

/// Throws Error(bad_state) `must be in 'started' state before <operation>`.
ShellHost shell_host(Context& context, const std::string& workspace, const std::string& operation);

protocol::ShellStatus open_shell(ShellHost& host, const ShellRequest& request);
std::vector<protocol::ShellStatus> list_shells(ShellHost& host);
/// Without secrets, whole characters only; see ShellReadRequest.
Json read_shell(ShellHost& host, const ShellReadRequest& request);
/// Joins our descriptors with the shell until it ends or {"detach": true} is sent.
Json join_shell(
    ShellHost& host, const protocol::ShellAttach& request, const ExecStreams& streams,
    const std::function<std::optional<Json>()>& poll_control);

/// {workspace_id, shell_id, state, …}
Json describe_shell(const ShellHost& host, const protocol::ShellStatus& status);

} // namespace pyro::workspace
