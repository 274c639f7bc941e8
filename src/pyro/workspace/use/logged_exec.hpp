// A command in a started workspace: its secrets given and taken out of its output, counted and logged.
#pragma once

#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/context/requests.hpp>
#include <pyro/workspace/state/find_and_lock.hpp>

#include <chrono>

namespace pyro::workspace {

/// At a terminal: after so long without output, what was held back as the possible beginning of a secret is
/// shown; else a letter that was typed, or a prompt that ends like one, would stay invisible.
inline constexpr std::chrono::milliseconds k_show_after{200};

/// Output goes to `streams` while the command runs. A command on a terminal is neither counted nor logged.
ExecResult run_logged(
    const Context& context, const store::WorkspacePaths& paths, const Running& running,
    const ExecRequest& request, const ExecStreams& streams);

} // namespace pyro::workspace
