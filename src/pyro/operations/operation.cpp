#include "operation.hpp"

#include "groups.hpp"
#include "parameters.hpp"
#include "schema_parts.hpp"
#include "text.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/interruption.hpp>
#include <pyro/workspace/context/operation_note.hpp>

#include <algorithm>
#include <array>
#include <iterator>
#include <mutex>
#include <sstream>

namespace pyro::operations {

namespace {

struct Group {
  std::vector<Operation> (*make)();
  std::string_view names; // of what it makes, with a blank between them: to find one, no other group is made
};

constexpr std::array k_groups{
    Group{file_operations, "init validate config plan apply why schema schema_install lock import_file"},
    Group{drift_operations, "capture verify"},
    Group{record_operations, "graph timing network_log events watch"},
    Group{trust_operations, "trust_show trust_agree trust_list trust_remove"},
    Group{workspace_operations, "status list start restart wait stop unlock reset undo destroy"},
    Group{use_operations, "exec logs diff"},
    Group{snapshot_operations, "snapshot_create snapshot_list snapshot_delete workspace_reset"},
    Group{snapshot_image_operations, "snapshot_export snapshot_push snapshot_import"},
    Group{fork_operations, "workspace_fork adopt forget"},
    Group{
        by_hand_operations,
        "workspace_create workspace_list workspace_status workspace_update workspace_start workspace_stop "
        "workspace_delete workspace_summary workspace_reap"},
    Group{
        content_operations,
        "copy_in copy_out copy_between workspace_sync_push workspace_export workspace_diff "
        "workspace_file_list workspace_file_read workspace_file_write workspace_patch_apply"},
    Group{command_operations, "workspace_exec workspace_logs"},
    Group{
        vm_operations, "vm_create vm_start vm_exec vm_stop vm_delete vm_status vm_network_info vm_list "
                       "vm_reap vm_run"},
    Group{
        shell_operations,
        "shell_open shell_list shell_read shell_write shell_signal shell_resize shell_close"},
    Group{service_operations, "service_start service_list service_status service_logs service_stop"},
    Group{
        machine_operations, "env_list env_pull env_inspect env_remove env_prune doctor prune disk_usage "
                            "purge version"},
    Group{resource_operations, "resource_usage"},
    Group{place_operations, "place_list"}};

std::vector<std::string> names_of(const Group& group) {
  std::istringstream words{std::string(group.names)};
  return {std::istream_iterator<std::string>(words), {}};
}

/// Made when it is first asked for: a command needs one operation, and to make the schemas of all takes
/// longer than most commands.
const std::vector<Operation>& group(std::size_t index) {
  static std::array<std::once_flag, k_groups.size()> s_made;
  static std::array<std::vector<Operation>, k_groups.size()> s_groups;
  std::call_once(s_made[index], [&] { s_groups[index] = k_groups[index].make(); });
  return s_groups[index];
}

} // namespace

const std::vector<Operation>& operations() {
  static const std::vector<Operation> table = [] {
    std::vector<Operation> all;
    for (std::size_t index = 0; index < k_groups.size(); ++index) {
      all.insert(all.end(), group(index).begin(), group(index).end());
    }
    return all;
  }();
  return table;
}

std::vector<std::string> operation_names() {
  std::vector<std::string> all;
  for (const auto& group : k_groups) {
    for (auto& name : names_of(group)) {
      all.push_back(std::move(name));
    }
  }
  return all;
}

const Operation& find_operation(std::string_view name) {
  for (std::size_t index = 0; index < k_groups.size(); ++index) {
    const auto names = names_of(k_groups[index]);
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      continue;
    }
    for (const auto& operation : group(index)) {
      if (operation.name == name) {
        return operation;
      }
    }
  }
  Error error(ErrorCode::invalid_argument, "there is no operation '{}'", name);
  if (const auto near = nearest(name, operation_names()); !near.empty()) {
    error.with_hint(fmt::format("did you mean '{}'?", near));
  }
  throw error;
}

Json call(Context& context, std::string_view name, const Json& parameters) {
  const auto& operation = find_operation(name);
  const Json given = parameters.is_null() ? Json::object() : parameters;
  check_parameters(operation.name, operation.parameters_schema, given);
  std::optional<InterruptionScope> limited;
  if (const auto limit = operation.time_limit ? duration_of(given, "timeout") : std::chrono::milliseconds{};
      limit.count() > 0) {
    limited.emplace(context.interrupted, TimeLimit{operation.name, limit});
  }
  std::optional<workspace::OperationNote> note;
  if (!operation.read_only) {
    note.emplace(context.workspaces, operation.name);
  }
  const bool has_directory = operation.parameters_schema.at("properties").contains("directory");
  try {
    auto result = operation.run(context, has_directory ? with_directory(context, given) : given);
    if (note) {
      note->complete(result);
    }
    return result;
  } catch (const Error& error) {
    if (note) {
      note->failed(error);
    }
    throw;
  }
}

Json operations_document() {
  Json all = Json::object();
  for (const auto& operation : operations()) {
    all[operation.name] = {
        {"summary", operation.summary},         {"parameters", operation.parameters_schema},
        {"result", operation.result_schema},    {"read_only", operation.read_only},
        {"destructive", operation.destructive}, {"idempotent", operation.idempotent},
    };
  }
  return {
      {"$comment", "Generated from src/pyro/operations; a test compares. PYRO_TEST_ACCEPT=1 rewrites it."},
      {"operations", all}};
}

} // namespace pyro::operations
