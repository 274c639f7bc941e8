// What services had written when their workspace was stopped: their logs live in the sandbox and end with it,
// so the last of them is kept in <ws>/services/logs/, without secrets.
#pragma once

#include "find_and_lock.hpp"

#include <pyro/workspace/sandbox/service_calls.hpp>

#include <optional>
#include <string>
#include <vector>

namespace pyro::workspace {

/// Of every service that runs in the sandbox now, before it is stopped. A log that cannot be kept (a full
/// disk, an agent that does not answer) is said as a note and keeps nobody from stopping. Of a workspace with
/// a declared secret that cannot be read here nothing is kept.
void keep_logs(
    const Context& context, const store::WorkspacePaths& paths, const store::WorkspaceRecord& record);

/// nullopt: none is kept, or it is from before a reset.
std::optional<ServiceLogs>
kept_log(const store::WorkspacePaths& paths, const store::WorkspaceRecord& record, const std::string& name);

/// Names with a kept log.
std::vector<std::string>
kept_log_names(const store::WorkspacePaths& paths, const store::WorkspaceRecord& record);

} // namespace pyro::workspace
