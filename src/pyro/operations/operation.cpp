#include "operation.hpp"

#include "groups.hpp"
#include "parameters.hpp"
#include "schema_parts.hpp"
#include "text.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/interruption.hpp>
#include <pyro/workspace/context/operation_note.hpp>

#include <array>
#include <mutex>

namespace pyro::operations {

namespace {

constexpr std::array k_groups{
    file_operations,      drift_operations,   record_operations,   trust_operations,
    workspace_operations, use_operations,     snapshot_operations, snapshot_image_operations,
    fork_operations,      by_hand_operations, content_operations,  command_operations,
    vm_operations,        shell_operations,   service_operations,  machine_operations};

/// Made when it is first asked for: a command needs one operation, and to make the schemas of all takes
/// longer than most commands.
const std::vector<Operation>& group(std::size_t index) {
  static std::array<std::once_flag, k_groups.size()> s_made;
  static std::array<std::vector<Operation>, k_groups.size()> s_groups;
  std::call_once(s_made[index], [&] { s_groups[index] = k_groups[index](); });
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

const Operation& find_operation(std::string_view name) {
  std::vector<std::string> names;
  for (std::size_t index = 0; index < k_groups.size(); ++index) {
    for (const auto& operation : group(index)) {
      if (operation.name == name) {
        return operation;
      }
      names.push_back(operation.name);
    }
  }
  Error error(ErrorCode::invalid_argument, "there is no operation '{}'", name);
  if (const auto near = nearest(name, names); !near.empty()) {
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
