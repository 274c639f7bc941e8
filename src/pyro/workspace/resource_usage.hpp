// What running workspaces take of this machine: processors, memory, processes, disk; of each and of each of
// its services. What nobody counts is null, never 0.
#pragma once

#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/context/requests.hpp>
#include <pyro/workspace/sandbox/sandbox_answers.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace pyro::workspace {

struct ResourceUsageRequest {
  std::vector<std::string> workspaces; // ids, unique id prefixes or names; empty: all that run
  /// Read twice, that far apart, to know what the processors did in between; 0: once.
  std::chrono::milliseconds interval{0};
};

/// {"at", "interval_ms", "count", "workspaces": [{workspace_id, name, state, backend, cpu, memory, pids,
/// disk, vmm, oom_kills, services, trouble}]}, by name. Error(invalid_argument) for an interval that is
/// neither 0 nor between 100 ms and an hour.
Json resource_usage(Context& context, const ResourceUsageRequest& request);

/// What a sandbox has to be asked to describe it and to tell what it takes.
Questions questions_of_use();

/// For status, whose document has everything else: puts "resources" {cpu, memory, pids, disk, vmm} into its
/// document (null: it does not run), and cpu, memory and pids into each of its services.
void add_resources(const store::WorkspaceRecord& record, const SandboxAnswers& answers, Json& document);

} // namespace pyro::workspace
