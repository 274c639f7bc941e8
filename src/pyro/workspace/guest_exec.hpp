// One command in a running sandbox, with its output line by line or copied to descriptors.
#pragma once

#include "manager.hpp"

#include <pyro/backend/control_client.hpp>
#include <pyro/protocol/requests.hpp>

#include <functional>
#include <string>

namespace pyro::workspace {

/// Calls `line` for every line of stdout and stderr together. The command ends when `interrupted` says so.
protocol::ExecResult run_with_lines(
    backend::ControlClient& client, const protocol::ExecRequest& request,
    const std::function<void(const std::string&)>& line, const std::function<void()>& check_interrupted);

/// Copies between our descriptors and the command's streams until it ends.
ExecResult run_with_streams(
    backend::ControlClient& client, const protocol::ExecRequest& request, const ExecStreams& streams,
    const std::function<std::optional<Json>()>& poll_control);

} // namespace pyro::workspace
