#include "route.hpp"

#include <pyro/base/error.hpp>
#include <pyro/operations/operation.hpp>
#include <pyro/operations/schema_parts.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/store/layout.hpp>

#include <algorithm>
#include <array>
#include <filesystem>

namespace pyro::node {

namespace {

/// About the content or life of a workspace, with nothing of this machine in their parameters or results but
/// the checkout.
constexpr std::array<std::string_view, 46> k_reaching{
    "apply",
    "plan",
    "why",
    "status",
    "start",
    "restart",
    "wait",
    "stop",
    "unlock",
    "reset",
    "undo",
    "destroy",
    "exec",
    "logs",
    "diff",
    "snapshot_create",
    "snapshot_list",
    "snapshot_delete",
    "workspace_reset",
    "workspace_fork",
    "workspace_status",
    "workspace_update",
    "workspace_start",
    "workspace_stop",
    "workspace_delete",
    "workspace_summary",
    "workspace_diff",
    "workspace_file_list",
    "workspace_file_read",
    "workspace_file_write",
    "workspace_patch_apply",
    "workspace_exec",
    "workspace_logs",
    "shell_open",
    "shell_list",
    "shell_read",
    "shell_write",
    "shell_signal",
    "shell_resize",
    "shell_close",
    "service_start",
    "service_list",
    "service_status",
    "service_logs",
    "service_stop",
    "resource_usage"};

/// About the file: they say by its directory which it is.
constexpr std::array<std::string_view, 3> k_of_the_file{"apply", "plan", "why"};

/// About the file alone, wherever its workspace lives.
constexpr std::array<std::string_view, 2> k_here{"validate", "config"};

bool is_in(const auto& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string absolute(const std::string& path) {
  return std::filesystem::absolute(path).lexically_normal().string();
}

void name_by_id(Json& parameters, const Json& schema, const std::string& id) {
  for (const auto* key :
       {"directory", "file", "profile", "vars", "var_file", "set", "workspace", "workspace_id"}) {
    parameters.erase(key);
  }
  parameters[schema.contains("workspace_id") ? "workspace_id" : "workspace"] = id;
}

void make_paths_absolute(Json& parameters, const std::string& checkout) {
  parameters.erase("workspace");
  if (!parameters.contains("directory")) {
    parameters["directory"] = checkout;
  }
  for (const auto* key : {"directory", "var_file", "policy"}) {
    if (const auto path = maybe_string(parameters, key)) {
      parameters[key] = absolute(*path);
    }
  }
}

} // namespace

Router::Router(operations::Settings settings, const operations::Callbacks& callbacks)
    : m_settings(std::move(settings)), m_sink(callbacks.events),
      m_base(
          (m_settings.base.empty() ? store::Base::from_environment() : store::Base(m_settings.base)).root()) {
  m_settings.interrupted = callbacks.interrupted;
  if (!m_sink) {
    m_sink = [](const operations::Event&) {
    };
  }
}

workspace::Context& Router::context() {
  if (!m_context) {
    m_context = std::make_unique<workspace::Context>(m_settings, m_sink);
  }
  return *m_context;
}

void Router::emit(const std::string& kind, const std::string& text) {
  m_sink({kind, "", text, nullptr});
}

std::optional<place::Placed>
Router::find(const place::PlacedRecords& records, std::string_view operation, Json& parameters) {
  if (records.all().empty() || !parameters.is_object()) {
    return std::nullopt;
  }
  const auto& schema = operations::find_operation(operation).parameters_schema.at("properties");
  auto wanted = string_or(parameters, "workspace_id", "");
  if (wanted.empty()) {
    wanted = string_or(parameters, "workspace", "");
  }
  std::optional<place::Placed> found;
  if (!wanted.empty()) {
    found = records.named(wanted);
  } else if (schema.contains("directory") && schema.contains("workspace")) {
    operations::Context given{context(), {}, {}};
    parameters = operations::with_directory(given, parameters);
    const auto project = operations::project_of(parameters);
    if (!workspace::find_project_file(project).empty()) {
      if (const auto identity = workspace::read_project_file(project).identity()) {
        found = records.of_identity(*identity);
      }
    }
  }
  if (!found) {
    return std::nullopt;
  }
  if (is_in(k_of_the_file, operation)) {
    make_paths_absolute(parameters, found->checkout);
  } else if (is_in(k_reaching, operation)) {
    name_by_id(parameters, schema, found->workspace_id);
  } else if (is_in(k_here, operation)) {
    return std::nullopt;
  }
  return found;
}

std::string Router::file_of(std::string_view operation, const Json& parameters) {
  return is_in(k_of_the_file, operation) ? workspace::find_project_file(operations::project_of(parameters))
                                         : "";
}

void Router::require_reach(std::string_view operation, const place::Placed& placed) const {
  if (!is_in(k_reaching, operation)) {
    throw Error(
        ErrorCode::unavailable, "{} does not reach {}, which lives on {}", operation, placed.name,
        to_string(placed.place))
        .with_hint("docs/fleet.md lists what does");
  }
}

workspace::LoadedProject Router::load(const Json& parameters) {
  return workspace::load_project(context(), operations::project_of(parameters));
}

os::ExclusiveLock Router::lock_identity(const std::string& identity, const std::string& operation) {
  const auto directory = m_base + "/locks";
  os::make_directories(directory);
  return os::ExclusiveLock(
      directory + "/" + identity, operation, m_settings.lock_timeout, [this](const auto& holder) {
        emit("waiting", fmt::format("waiting for {}", holder ? to_string(*holder) : "another process"));
      });
}

} // namespace pyro::node
