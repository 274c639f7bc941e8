#include "commands.hpp"

#include "arguments.hpp"

#include <array>

namespace pyro::cli {

namespace {

constexpr std::array k_common{
    Option{"--file", "-f", "FILE", "The file to read; default: pyro.yaml", "", Repeat::no, Takes::file},
    Option{
        "--directory", "-C", "DIR",
        "Where the file is; default: the current directory, else the nearest above with one", "", Repeat::no,
        Takes::directory},
    Option{"--profile", "", "NAME", "Lay this profile of the file over it", "", Repeat::no, Takes::values},
    Option{
        "--var", "", "NAME=VALUE", "Set a declared variable (also PYRO_VAR_NAME)", "", Repeat::yes,
        Takes::values},
    Option{
        "--var-file", "", "FILE", "Variables of the file, as lines NAME: value; --var wins", "", Repeat::no,
        Takes::values},
    Option{
        "--set", "", "ADDRESS=VALUE", "Over the file: a field by its address", "", Repeat::yes,
        Takes::values},
    Option{
        "--workspace", "-w", "NAME|ID", "Instead of the workspace and file of this directory", "", Repeat::no,
        Takes::workspace},
    Option{"--yes", "-y", "", "Do not ask before something would be lost"},
    Option{"--trust", "", "", "Agree to what pyro.yaml wants of this machine, and remember it"},
    Option{"--output", "-o", "FORMAT", "Form of the result", k_usual_forms, Repeat::no, Takes::document},
    Option{"--json", "", "", "Same as --output json", "", Repeat::no, Takes::document},
    Option{"--progress", "", "MODE", "How progress is shown", "auto|tty|plain|json|quiet"},
    Option{"--color", "", "WHEN", "Colours; NO_COLOR is respected", "auto|always|never"},
    Option{"--quiet", "-q", "", "Results and errors only"},
    Option{"--verbose", "-v", "", "Also what stays as it is, and the output of steps"},
    Option{"--lock-timeout", "", "DURATION", "Wait that long for another pyro at work; default: 60s"},
    Option{"--help", "-h", "", "Show this page"},
};

} // namespace

std::span<const Option> common_options() {
  return k_common;
}

std::vector<Option> common_options_of(const Command& command) {
  std::vector<Option> options;
  for (const auto& option : k_common) {
    if (includes(command.takes, option.kind) && !has_own(command, option.name)) {
      options.push_back(option);
      if (option.name == "--output") {
        options.back().choices = command.forms;
      }
    }
  }
  return options;
}

const std::vector<Group>& command_groups() {
  static const std::vector<Group> groups{
      {"Describe a workspace",
       {&k_init, &k_import_compose, &k_import_devcontainer, &k_validate, &k_config, &k_lock, &k_schema}},
      {"Make it so", {&k_plan, &k_apply, &k_up, &k_watch, &k_why, &k_capture, &k_verify}},
      {"What it may take of your machine", {&k_trust, &k_trust_ls, &k_trust_rm}},
      {"Look at it",
       {&k_status, &k_ls, &k_top, &k_ps, &k_ports, &k_logs, &k_diff, &k_graph, &k_timing, &k_network_log,
        &k_events, &k_report}},
      {"Use it", {&k_exec, &k_shell, &k_attach, &k_cp, &k_port_forward, &k_ssh_config}},
      {"Go back",
       {&k_snapshot_save, &k_snapshot_ls, &k_snapshot_show, &k_snapshot_rm, &k_snapshot_export,
        &k_snapshot_import, &k_snapshot_push, &k_snapshot_pull, &k_reset, &k_undo}},
      {"Another one like it", {&k_fork, &k_adopt, &k_forget}},
      {"Stop and start", {&k_start, &k_restart, &k_wait, &k_stop, &k_down, &k_destroy, &k_unlock}},
      {"By hand, without a pyro.yaml",
       {&k_workspace_create,         &k_workspace_list,
        &k_workspace_status,         &k_workspace_update,
        &k_workspace_exec,           &k_workspace_logs,
        &k_workspace_start,          &k_workspace_stop,
        &k_workspace_delete,         &k_workspace_summary,
        &k_workspace_reap,           &k_workspace_snapshot_create,
        &k_workspace_snapshot_list,  &k_workspace_snapshot_delete,
        &k_workspace_reset,          &k_workspace_fork,
        &k_workspace_sync_push,      &k_workspace_export,
        &k_workspace_diff,           &k_workspace_file_list,
        &k_workspace_file_read,      &k_workspace_file_write,
        &k_workspace_patch_apply,    &k_workspace_shell_open,
        &k_workspace_shell_list,     &k_workspace_shell_read,
        &k_workspace_shell_write,    &k_workspace_shell_signal,
        &k_workspace_shell_resize,   &k_workspace_shell_close,
        &k_workspace_service_start,  &k_workspace_service_list,
        &k_workspace_service_status, &k_workspace_service_logs,
        &k_workspace_service_stop},
       Listed::by_family},
      {"For coding agents", {&k_mcp_serve, &k_mcp_config}},
      {"One command in a sandbox of its own",
       {&k_run, &k_vm_create, &k_vm_start, &k_vm_exec, &k_vm_stop, &k_vm_delete, &k_vm_status,
        &k_vm_network_info, &k_vm_list, &k_vm_reap},
       Listed::by_family},
      {"The machine",
       {&k_env_pull, &k_env_list, &k_env_inspect, &k_env_remove, &k_env_prune, &k_df, &k_prune, &k_purge,
        &k_on, &k_doctor, &k_version, &k_completion, &k_man}},
  };
  return groups;
}

std::vector<const Command*> all_commands() {
  std::vector<const Command*> all;
  for (const auto& group : command_groups()) {
    all.insert(all.end(), group.commands.begin(), group.commands.end());
  }
  return all;
}

const Command* find_command(std::string_view name) {
  for (const auto& group : command_groups()) {
    for (const auto* command : group.commands) {
      if (command->name == name || (!command->alias.empty() && command->alias == name)) {
        return command;
      }
    }
  }
  return nullptr;
}

bool is_command_group(std::string_view word) {
  for (const auto* command : all_commands()) {
    if (command->name.size() > word.size() && command->name.starts_with(word)
        && command->name[word.size()] == ' ') {
      return true;
    }
  }
  return false;
}

} // namespace pyro::cli
