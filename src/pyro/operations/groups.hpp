// The parts of the operation table, one file each; operation.cpp lists them. Nothing registers itself.
#pragma once

#include "operation.hpp"

namespace pyro::operations {

std::vector<Operation> file_operations();  // the declared file: validate, config, plan, apply, why, schema
std::vector<Operation> drift_operations(); // what differs: capture, verify
std::vector<Operation>
record_operations(); // what the file is made of and what was done: graph, timing, network_log, events, watch
std::vector<Operation> trust_operations();     // what the file may take of this machine
std::vector<Operation> workspace_operations(); // its life: status, list, start, stop, reset, undo, destroy
std::vector<Operation> resource_operations();  // what workspaces take: resource_usage
std::vector<Operation> place_operations();     // where workspaces can live: place_list
std::vector<Operation> use_operations();       // what is inside: exec, logs, diff
std::vector<Operation> snapshot_operations();  // and the full reset to one
std::vector<Operation> snapshot_image_operations(); // snapshots as OCI images: export, import, push
std::vector<Operation> fork_operations();           // fork; adopt and forget
std::vector<Operation> content_operations(); // files in and out: sync, export, workspace_diff, file, patch
std::vector<Operation> by_hand_operations(); // workspace_*: made and driven call by call, found by id
std::vector<Operation> command_operations(); // workspace_exec and the log of its commands
std::vector<Operation> vm_operations();      // vm_*: one command each, then gone
std::vector<Operation> shell_operations();   // shell_*: terminals that live on
std::vector<Operation> service_operations(); // service_*: processes that the agent keeps
std::vector<Operation> machine_operations(); // env_*, doctor, prune, version

/// What a file wants of this machine: trust_show and plan.
Json host_requests_schema(std::string_view description);

/// What status and every operation that returns a workspace tell.
Json workspace_document_schema();
/// The same in a list of many: without snapshots and what else is looked up for one alone.
Json listed_workspace_schema();

/// The `place` of status and list: of a workspace that lives elsewhere.
Json place_schema();

/// The `oom_kills` of status, list and resource_usage.
Json oom_kills_schema();

/// The `ports` of status, list and apply.
Json published_ports_schema();

/// One snapshot, as snapshot_create returns it.
Json snapshot_schema();

/// The `snapshots` of status and snapshot_list.
Json snapshot_list_schema();

} // namespace pyro::operations
