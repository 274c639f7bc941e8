// The list of all commands, in the order of the overview. Each is defined in the file of its name.
#pragma once

#include "command.hpp"

#include <string>
#include <vector>

namespace pyro::cli {

extern const Command k_adopt;
extern const Command k_apply;
extern const Command k_attach;
extern const Command k_capture;
extern const Command k_completion;
extern const Command k_config;
extern const Command k_cp;
extern const Command k_destroy;
extern const Command k_diff;
extern const Command k_doctor;
extern const Command k_down;
extern const Command k_unlock;
extern const Command k_env_inspect;
extern const Command k_env_list;
extern const Command k_env_prune;
extern const Command k_env_pull;
extern const Command k_env_remove;
extern const Command k_events;
extern const Command k_exec;
extern const Command k_forget;
extern const Command k_fork;
extern const Command k_graph;
extern const Command k_import_compose;
extern const Command k_import_devcontainer;
extern const Command k_init;
extern const Command k_lock;
extern const Command k_logs;
extern const Command k_ls;
extern const Command k_man;
extern const Command k_on;
extern const Command k_plan;
extern const Command k_df;
extern const Command k_ports;
extern const Command k_prune;
extern const Command k_ps;
extern const Command k_purge;
extern const Command k_report;
extern const Command k_reset;
extern const Command k_restart;
extern const Command k_run;
extern const Command k_schema;
extern const Command k_shell;
extern const Command k_snapshot_export;
extern const Command k_snapshot_import;
extern const Command k_snapshot_ls;
extern const Command k_snapshot_pull;
extern const Command k_snapshot_push;
extern const Command k_snapshot_rm;
extern const Command k_snapshot_save;
extern const Command k_snapshot_show;
extern const Command k_ssh_config;
extern const Command k_start;
extern const Command k_port_forward;
extern const Command k_status;
extern const Command k_top;
extern const Command k_stop;
extern const Command k_timing;
extern const Command k_network_log;
extern const Command k_trust;
extern const Command k_trust_ls;
extern const Command k_trust_rm;
extern const Command k_undo;
extern const Command k_up;
extern const Command k_validate;
extern const Command k_verify;
extern const Command k_mcp_config;
extern const Command k_mcp_serve;
extern const Command k_version;
extern const Command k_vm_create;
extern const Command k_vm_delete;
extern const Command k_vm_exec;
extern const Command k_vm_list;
extern const Command k_vm_network_info;
extern const Command k_vm_reap;
extern const Command k_vm_start;
extern const Command k_vm_status;
extern const Command k_vm_stop;
extern const Command k_wait;
extern const Command k_watch;
extern const Command k_why;
extern const Command k_workspace_create;
extern const Command k_workspace_delete;
extern const Command k_workspace_diff;
extern const Command k_workspace_exec;
extern const Command k_workspace_export;
extern const Command k_workspace_file_list;
extern const Command k_workspace_file_read;
extern const Command k_workspace_file_write;
extern const Command k_workspace_fork;
extern const Command k_workspace_list;
extern const Command k_workspace_logs;
extern const Command k_workspace_patch_apply;
extern const Command k_workspace_reap;
extern const Command k_workspace_reset;
extern const Command k_workspace_service_list;
extern const Command k_workspace_service_logs;
extern const Command k_workspace_service_start;
extern const Command k_workspace_service_status;
extern const Command k_workspace_service_stop;
extern const Command k_workspace_shell_close;
extern const Command k_workspace_shell_list;
extern const Command k_workspace_shell_open;
extern const Command k_workspace_shell_read;
extern const Command k_workspace_shell_resize;
extern const Command k_workspace_shell_signal;
extern const Command k_workspace_shell_write;
extern const Command k_workspace_snapshot_create;
extern const Command k_workspace_snapshot_delete;
extern const Command k_workspace_snapshot_list;
extern const Command k_workspace_start;
extern const Command k_workspace_status;
extern const Command k_workspace_stop;
extern const Command k_workspace_summary;
extern const Command k_workspace_sync_push;
extern const Command k_workspace_update;

/// In the overview: a line for each command, or one for each family ("workspace file  list, read, write").
enum class Listed { each, by_family };

struct Group {
  std::string_view title;
  std::vector<const Command*> commands;
  Listed listed = Listed::each;
};

const std::vector<Group>& command_groups();
std::vector<const Command*> all_commands();

/// By name or alias ("snapshot ls"); nullptr if there is none.
const Command* find_command(std::string_view name);
/// Is it the first word of commands of two words ("snapshot")?
bool is_command_group(std::string_view word);

} // namespace pyro::cli
