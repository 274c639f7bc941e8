// Shells of a workspace: terminals that live on in its sandbox. `workspace` is an id, a unique id prefix or a
// name.
//
// Most return {"workspace_id", "shell_id", "state": running|exited, "cwd", "cols", "rows", "exit_code", …}.
// Error(invalid_argument) `does not exist` for a shell that is not there.
#pragma once

#include <pyro/workspace/context/requests.hpp>

#include <string>

namespace pyro::workspace {

struct Context;

Json open_workspace_shell(Context& context, const std::string& workspace, const ShellRequest& request);

Json list_workspace_shells(Context& context, const std::string& workspace);

/// {"output", "cursor", "next_cursor", "truncated": there is more, "dropped_bytes": gone before it was
/// read}. Reading does not consume.
Json read_workspace_shell(Context& context, const std::string& workspace, const ShellReadRequest& request);

Json write_to_workspace_shell(
    Context& context, const std::string& workspace, const std::string& shell_id, const std::string& input,
    bool append_newline);

/// HUP, INT, TERM or KILL, to the shell and what runs in its foreground.
Json signal_workspace_shell(
    Context& context, const std::string& workspace, const std::string& shell_id, const std::string& signal);

Json resize_workspace_shell(
    Context& context, const std::string& workspace, const std::string& shell_id, int columns, int rows);

/// Ends it and all that was started in it. "closed": true.
Json close_workspace_shell(Context& context, const std::string& workspace, const std::string& shell_id);

/// Joins our descriptors with it until it ends or {"detach": true} is polled. "detached": bool.
Json attach_to_workspace_shell(
    Context& context, const std::string& workspace, const ShellAttachRequest& request,
    const ExecStreams& streams);

} // namespace pyro::workspace
