// One command in a running sandbox, with its output line by line or copied to descriptors.
#pragma once

#include <pyro/backend/control_client.hpp>
#include <pyro/protocol/requests.hpp>
#include <pyro/store/records.hpp>
#include <pyro/workspace/context/requests.hpp>

#include <functional>
#include <string>

namespace pyro::workspace {

/// Calls `line` for every line of stdout and stderr together. The command ends when `interrupted` says so.
protocol::ExecResult run_with_lines(
    backend::ControlClient& client, const protocol::ExecRequest& request,
    const std::function<void(const std::string&)>& line, const std::function<void()>& check_interrupted);

/// "make was killed: out of memory (environment.resources.memory: 1 GiB)", for a result with an oom_note.
/// `who`: the command or step.
std::string memory_sentence(const protocol::ExecResult& result, const std::string& who);

/// A command as the agent takes it: what the caller left out is the workspace's.
protocol::ExecRequest guest_request(
    const store::WorkspacePaths& paths, const store::WorkspaceRecord& record, const ExecRequest& request,
    const ExecStreams& streams);

/// Gets the command's output as it comes: FrameType::data_out or data_err.
using OutputSink = std::function<void(protocol::FrameType type, std::string_view bytes)>;

/// Our descriptor `input` (-1: none) becomes the command's input. Of a command whose time is over the error
/// output ends with a line that says so. `once_asked` is called when the request has been put on its way, and
/// may wait on the client's loop: output comes meanwhile.
ExecResult run_with_output(
    backend::ControlClient& client, const protocol::ExecRequest& request, int input, const OutputSink& output,
    const std::function<std::optional<Json>()>& poll_control, const std::function<void()>& once_asked = {});

/// The same with output copied to our descriptors.
ExecResult run_with_streams(
    backend::ControlClient& client, const protocol::ExecRequest& request, const ExecStreams& streams,
    const std::function<std::optional<Json>()>& poll_control);

/// Writes to the descriptor for that type of output, waiting where its reader is slow; -1 takes nothing.
void write_output(const ExecStreams& streams, protocol::FrameType type, std::string_view bytes);

} // namespace pyro::workspace
