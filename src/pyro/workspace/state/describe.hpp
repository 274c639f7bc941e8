// A workspace as status and list tell it.
#pragma once

#include <pyro/base/json_access.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/sandbox/sandbox_answers.hpp>

namespace pyro::workspace {

/// What the sandbox has to be asked for the following.
Questions questions_to_describe();

/// Everything that can be told without its snapshots, its file and its lock.
Json describe(
    const store::WorkspacePaths& paths, const store::WorkspaceRecord& record, const SandboxAnswers& answers);

/// Services as the agent tells them, and those by hand that it does not know any more. Of a workspace that is
/// not running: as declared and recorded, stopped; records say so from then on.
Json describe_services(
    const store::WorkspacePaths& paths, const store::WorkspaceRecord& record, const SandboxAnswers& answers);

/// Processes that were killed since its start for want of memory: {count, last: {who, at} or null}; null of
/// one that does not run.
Json describe_oom_kills(const SandboxAnswers& answers);

/// {"network_enabled", "guest_ip"}
Json describe_network(const store::WorkspaceRecord& record);

/// Published ports: [{service, port, host_port, address, url}]; url where a probe says that it is HTTP.
Json describe_ports(const store::WorkspacePaths& paths, const store::WorkspaceRecord& record);

/// Epoch seconds of the last change or command.
double last_activity(const store::WorkspacePaths& paths, const store::WorkspaceRecord& record);

} // namespace pyro::workspace
